"""Asks Genesys about each message whose status is due, in the profile where it pushes none.

The newest messages come first: theirs are the statuses that change. What is more than a pass may
ask for is left to the next ones, and to reconcile_sends, which lists a hundred with one request.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from genesys_cloud.api.contract import MessageRef
from genesys_cloud.errors import (
    ApiError,
    EndpointMissingError,
    PagingError,
    PermissionDeniedError,
    RequestRejectedError,
    ServiceFailedError,
)
from genesys_cloud.ledger import lost_statuses
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.lost_statuses import Awaited, Learnt
from genesys_cloud.outbound.asking import Schedule
from genesys_cloud.outbound.deliveries import Delivery

log = logging.getLogger(__name__)

ACTOR = "track_statuses"

SHARE = 3
"""One request in so many that the account allows may ask for a status; sends keep the rest."""

MOST = 1_000
"""Messages that one pass asks about, however fast the account is, so that it soon ends."""

BLOCK = 200
"""Messages whose answers are recorded in one transaction, before any other is asked about."""

SHORTEST_WAIT = timedelta(seconds=15)
"""The least time from one pass to the next, for each costs Airflow the start of a task."""

MINUTE = timedelta(minutes=1)


class Asker(Protocol):
    """What tells where messages stand."""

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        """Yield those of some messages that Genesys knows."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How many messages one pass asks about, and all passes of a minute together."""

    in_pass: int
    per_minute: int

    @classmethod
    def of(cls, requests_per_minute: int) -> Bounds:
        """Return what an account's limit allows."""
        share = max(1, requests_per_minute // SHARE)
        return cls(in_pass=min(MOST, share), per_minute=share)


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What a pass did: messages `asked` about, `moved` to a later status, `not_known` to Genesys.

    Those that Genesys refused to speak of are not known either.

    `next_at` is when to make the next pass, None where no message owes a status.
    """

    asked: int = 0
    moved: int = 0
    not_known: int = 0
    next_at: datetime | None = None


def track(
    ledger: Ledger,
    asker: Asker,
    *,
    now: datetime,
    schedule: Schedule,
    bounds: Bounds,
    campaign_id: str | None = None,
) -> Tracked:
    """Ask about the messages that are due, and return when to do so again.

    Each block is recorded before the next one is asked about, so that a pass that is interrupted
    has lost nothing. What Genesys does not know is asked about again later. Raises ApiError where
    Genesys fails, and the next pass begins with other messages than those it failed at.
    """
    due = lost_statuses.due(
        ledger,
        now=now,
        schedule=schedule,
        most=bounds.in_pass,
        campaign_id=campaign_id,
        newest_first=True,
    )
    learnt: list[Learnt] = []
    for start in range(0, len(due), BLOCK):
        block = due[start : start + BLOCK]
        told = answers(asker, block)
        learnt.append(
            lost_statuses.learn(
                ledger, told.asked, told.found, now=now, schedule=schedule, actor=ACTOR
            )
        )
        if told.error is not None:
            raise told.error
    open_at = lost_statuses.next_due(ledger, now=now, schedule=schedule, campaign_id=campaign_id)
    paid_for = now + max(SHORTEST_WAIT, MINUTE * len(due) / bounds.per_minute)
    return Tracked(
        asked=len(due),
        moved=sum(one.moved for one in learnt),
        not_known=sum(one.not_listed for one in learnt),
        next_at=max(open_at, paid_for) if open_at else None,
    )


@dataclass(kw_only=True)
class Answers:
    """What Genesys says of messages, as far as they were `asked` about.

    Where Genesys failed, with `error`, the last of them are the `failing` ones.
    """

    asked: list[Awaited] = field(default_factory=list)
    found: list[Delivery] = field(default_factory=list)
    failing: Sequence[Awaited] = ()
    error: ApiError | None = None


def answers(asker: Asker, awaited: Sequence[Awaited]) -> Answers:
    """Ask about messages, those of one conversation together, until Genesys fails."""
    told = Answers()
    for group in _together(awaited):
        told.asked += group
        refs = [
            MessageRef(message_id=one.message_id, conversation_id=one.conversation_id)
            for one in group
        ]
        try:
            told.found.extend(asker.look_up(refs))
        except (RequestRejectedError, PagingError) as error:
            # What can't be asked about must not keep all the others from it for days.
            log.warning("%s messages are asked about again later: %s", len(group), error)
        except (ServiceFailedError, EndpointMissingError, PermissionDeniedError) as error:
            told.failing, told.error = group, error
            break
    return told


def _together(awaited: Sequence[Awaited]) -> Iterable[list[Awaited]]:
    groups: defaultdict[str | int, list[Awaited]] = defaultdict(list)
    for one in awaited:
        groups[one.conversation_id or one.id].append(one)
    return groups.values()
