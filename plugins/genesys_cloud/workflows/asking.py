"""Asks Genesys about messages whose final status never arrived, within bounds for each run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import ApiError, PagingError
from genesys_cloud.ledger import lost_statuses
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.lost_statuses import Awaited, Learnt
from genesys_cloud.outbound.asking import EVENTS_LOST, POLLED, Schedule
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.status import Status
from genesys_cloud.workflows.joining import Joined
from genesys_cloud.workflows.reconciling import AFTER, BEFORE
from genesys_cloud.workflows.tracking import Asker, answers

log = logging.getLogger(__name__)

MOST_ASKED = 10_000
"""Messages that one run asks about."""

MOST_PAGES = 500
"""Pages after which a run begins no further window: a ninth of what an account may ask for in 15
minutes, so that sends keep the rest."""

LONGEST_WINDOW = timedelta(minutes=30)
"""How far apart the messages of one window were sent; it is read as a whole."""

LEFT_OVER = timedelta(minutes=15)
"""For how long a message that is asked about by itself is due before a list is read for it."""


class Lister(Protocol):
    """What lists messages by the time of their creation."""

    def pages(self, start: datetime, end: datetime) -> Iterator[DeliveryPage]:
        """Yield the pages of messages created in an interval."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of asking.

    `moved` messages have a later status than before. `still_open` have no final one, whether they
    moved or not; `not_listed` the API does not show, and they stay as they are. `unasked` were due
    and got no answer: the run's bounds were reached, or the list contradicted itself.
    """

    moved: int = 0
    still_open: int = 0
    not_listed: int = 0
    unasked: int = 0

    def after(self, learnt: Learnt, asked: int) -> Asked:
        """Return the sums once a window's answers are recorded."""
        return Asked(
            moved=self.moved + learnt.moved,
            still_open=self.still_open + learnt.still_open,
            not_listed=self.not_listed + learnt.not_listed,
            unasked=self.unasked - asked,
        )


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one run asks for; the details of a failed message count as a page."""

    messages: int = MOST_ASKED
    pages: int = MOST_PAGES


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, kw_only=True)
class Window:
    """An interval to list, and the messages that were created in it."""

    start: datetime
    end: datetime
    awaited: Sequence[Awaited]


def ask_client(
    ledger: Ledger,
    client: GenesysClient,
    *,
    now: datetime,
    first: timedelta,
    campaign_id: str | None = None,
) -> Asked:
    """Ask about every message that is due by what its profile lists.

    Where statuses are pushed, a message is due once its last one is `first` old. Where none are,
    those are left over that nobody got round to asking about one by one.
    """
    if client.profile == "messaging":
        schedule = EVENTS_LOST.starting_at(first)
        return ask(ledger, client, now=now, schedule=schedule, campaign_id=campaign_id)
    return ask(
        ledger,
        ByConversation(client=client, ledger=ledger),
        now=now,
        schedule=POLLED.starting_at(first),
        campaign_id=campaign_id,
        due_by=now - LEFT_OVER,
        details=client,
    )


def ask(
    ledger: Ledger,
    lister: Lister,
    *,
    now: datetime,
    schedule: Schedule = EVENTS_LOST,
    campaign_id: str | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
    due_by: datetime | None = None,
    details: Asker | None = None,
) -> Asked:
    """Ask about every message that is due, and move those that the API knows better.

    `due_by` is now unless it is given. `details` tell why a message failed, where the list does
    not. Each window is recorded before the next one is read, so that a run that is interrupted has
    lost nothing. Raises ApiError where Genesys fails; then the details that it failed at are asked
    for later than the others.
    """
    due = lost_statuses.due(
        ledger, now=due_by or now, schedule=schedule, most=bounds.messages, campaign_id=campaign_id
    )
    total, pages = Asked(unasked=len(due)), 0
    for window in windows(due):
        if pages >= bounds.pages:
            log.warning(
                "%s messages wait for the next run: this one has read enough", total.unasked
            )
            break
        answer = _list(lister, window)
        pages += answer.pages
        if not answer.whole:
            until = now + schedule.longest_distance
            lost_statuses.put_off(ledger, window.awaited, until=until)
            continue
        asked = window.awaited
        if details is not None:
            pages += _explain(answer, asked, details, most=max(0, bounds.pages - pages))
            asked = [one for one in asked if one.message_id not in answer.unexplained]
        learnt = lost_statuses.learn(ledger, asked, answer.deliveries, now=now, schedule=schedule)
        total = total.after(learnt, len(asked))
        if answer.error is not None:
            raise answer.error
    return total


def windows(due: Sequence[Awaited]) -> Iterator[Window]:
    """Yield the intervals to list for messages that come in the order of their sends.

    Messages whose intervals overlap share one, up to LONGEST_WINDOW from the first to the last.
    """
    part: list[Awaited] = []
    for one in due:
        if part and not _share(part, one):
            yield _window(part)
            part = []
        part.append(one)
    if part:
        yield _window(part)


def _share(part: Sequence[Awaited], one: Awaited) -> bool:
    near = one.attempted_at - BEFORE <= part[-1].attempted_at + AFTER
    return near and one.attempted_at - part[0].attempted_at <= LONGEST_WINDOW


def _window(part: Sequence[Awaited]) -> Window:
    start, end = part[0].attempted_at - BEFORE, part[-1].attempted_at + AFTER
    return Window(start=start, end=end, awaited=tuple(part))


@dataclass(kw_only=True)
class _Answer:
    deliveries: list[Delivery] = field(default_factory=list)
    pages: int = 0
    whole: bool = True
    unexplained: set[str] = field(default_factory=set)
    error: ApiError | None = None


def _list(lister: Lister, window: Window) -> _Answer:
    """Read a window's pages until every message has been seen, and keep theirs alone."""
    wanted = {one.message_id for one in window.awaited}
    missing, answer = set(wanted), _Answer()
    try:
        for page in lister.pages(window.start, window.end):
            answer.pages += 1
            mine = [one for one in page.deliveries if one.message_id in wanted]
            answer.deliveries += mine
            missing -= {one.message_id for one in mine}
            if not missing:
                break
    except PagingError as error:
        # One interval that can't be listed must not keep the others from being asked about.
        log.warning("%s messages are asked about again later: %s", len(window.awaited), error)
        answer.whole = False
    return answer


def _explain(answer: _Answer, asked: Sequence[Awaited], details: Asker, *, most: int) -> int:
    """Put before what a list says of failed messages what their details say; return how many.

    Those that are more than `most` are left unexplained, for the next run: what is recorded as
    failed is asked about no more, and nobody would learn that a recipient has opted out. So are
    those after the ones at which Genesys fails; of these nothing is recorded, but that they were
    asked about.
    """
    said = {one.message_id for one in answer.deliveries if one.status == Status.FAILED.word}
    failed = [one for one in asked if one.message_id in said]
    told = answers(details, failed[:most])
    failing = {one.message_id for one in told.failing}
    listed = [one for one in answer.deliveries if one.message_id not in failing]
    answer.deliveries, answer.error = [*told.found, *listed], told.error
    reached = {one.message_id for one in told.asked}
    answer.unexplained = {one.message_id for one in failed} - reached
    return len(told.asked)


@dataclass(frozen=True, kw_only=True)
class ByConversation:
    """Lists messages by conversation, each under the id that the ledger has for it."""

    client: GenesysClient
    ledger: Ledger

    def pages(self, start: datetime, end: datetime) -> Iterator[DeliveryPage]:
        """Yield the pages of messages created in an interval."""
        return iter(Joined(self.client.listing(start, end), self.ledger))
