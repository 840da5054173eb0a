"""A campaign as a whole: whether it may send, and how far it has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit, counts
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.funnel import UNSPECIFIED, Count
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.messages import WAITING, State
from genesys_cloud.outbound.status import Status

REPORTED_STATES = tuple(state for state in State if state not in (State.CLAIMED, State.ATTEMPTING))
"""The states of a campaign's status; the two in-flight ones are folded into these."""

_FOLDED = {State.CLAIMED: State.PLANNED, State.ATTEMPTING: State.UNKNOWN}
"""A claimed message has not been tried; an attempted one without an outcome may have left."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a campaign, or one occurrence of it, has come; `states` add up to `recipients`.

    Of those that count as unknown, so many are `attempting`: a worker has not said yet what came of
    them. A campaign's tests are in `tests` alone: their messages by state, without those that none
    is in.
    """

    campaign_id: str
    campaign_state: str
    reason: str | None
    recipients: int
    states: Mapping[str, int]
    blocked_reasons: Mapping[str, int]
    statuses: Mapping[str, int]
    attempting: int
    tests: Mapping[str, int]

    def as_json(self) -> dict[str, object]:
        """The documented shape of `campaign status --json`."""
        return {
            "campaign_id": self.campaign_id,
            "campaign_state": self.campaign_state,
            "reason": self.reason,
            "recipients": self.recipients,
            "states": dict(self.states),
            "blocked_reasons": dict(self.blocked_reasons),
            "statuses": dict(self.statuses),
            "tests": dict(self.tests),
        }


def progress(ledger: Ledger, campaign_id: str, *, occurrence_id: int | None = None) -> Progress:
    """Count a campaign's recipients by state, blocking reason and delivery status.

    Of one occurrence everybody is counted, also where it is a test.
    """
    with ledger.read() as connection:
        campaign = connection.execute(
            select(campaigns).where(campaigns.c.campaign_id == campaign_id)
        ).one_or_none()
        if campaign is None:
            raise _unknown(ledger, campaign_id)
        own = occurrences.c.campaign_id == campaign_id
        if occurrence_id is not None:
            own &= occurrences.c.id == occurrence_id
        found = counts.with_in_flight(connection, own)
    recipients, tests = found[False], found[True]
    if occurrence_id is not None:
        recipients, tests = [*recipients, *tests], []
    return _progress(campaign, recipients, tests)


def change_state(
    ledger: Ledger, campaign_id: str, state: str, *, reason: str, actor: str, now: datetime
) -> int:
    """Pause, resume (`active`) or cancel a campaign, and return how many messages that settled.

    Send tasks obey within one batch. Cancelling settles every message that no worker has claimed;
    a cancelled campaign stays cancelled.
    """
    with ledger.write() as connection:
        # First, as a batch does that is about to be attempted: it then sees this, or comes before.
        audit.lock(connection)
        changed = connection.execute(
            update(campaigns)
            .where(campaigns.c.campaign_id == campaign_id, campaigns.c.state != "cancelled")
            .values(state=state, reason=reason, changed_at=now)
        ).rowcount
        if not changed:
            known = select(campaigns.c.state).where(campaigns.c.campaign_id == campaign_id)
            if connection.execute(known).scalar_one_or_none() is None:
                raise _unknown(ledger, campaign_id)
            raise CampaignDefinitionError(
                f"Campaign {campaign_id!r} is cancelled, and stays so. Start a campaign with "
                "another campaign_id instead."
            )
        keys: Sequence[str] = ()
        if state == "cancelled":
            keys = _cancel(connection, campaign_id, reason, now)
        entry = AuditEntry(
            at=now,
            actor=actor,
            action=f"campaign.{state}",
            campaign_id=campaign_id,
            details={"reason": reason, "messages": len(keys)},
        )
        each = replace(
            entry, action="send.cancelled", new_status=State.CANCELLED, details={"reason": reason}
        )
        audit.append(connection, [entry, *audit.about_many(each, keys)])
    return len(keys)


def check_test(ledger: Ledger, campaign_id: str, *, audience: str, audience_digest: str) -> None:
    """Raise CampaignDefinitionError where a list may not get a test of a campaign.

    The campaign may be unknown yet. It may not send where it is paused or cancelled, and its own
    audience, by name or by contents, is nobody's test list.
    """
    state = select(campaigns.c.state).where(campaigns.c.campaign_id == campaign_id)
    theirs = select(occurrences.c.occurrence).where(
        occurrences.c.campaign_id == campaign_id,
        ~occurrences.c.is_test,
        (occurrences.c.audience == audience) | (occurrences.c.audience_digest == audience_digest),
    )
    with ledger.read() as connection:
        found = connection.execute(state).scalar_one_or_none()
        occurrence = connection.execute(theirs.limit(1)).scalar_one_or_none()
    if found not in (None, "active"):
        raise CampaignDefinitionError(
            f"Campaign {campaign_id!r} is {found}, so its tests are not sent either. "
            + ("Resume it first." if found == "paused" else "Give another campaign_id.")
        )
    if occurrence is not None:
        raise CampaignDefinitionError(
            f"The list {audience!r} is the audience of occurrence {occurrence!r} of campaign "
            f"{campaign_id!r}. A test goes to your own numbers: give a list of these."
        )


def was_planned(ledger: Ledger, campaign_id: str, occurrence: str) -> bool:
    """Return whether anybody has planned an occurrence."""
    known = select(occurrences.c.id).where(
        occurrences.c.campaign_id == campaign_id, occurrences.c.occurrence == occurrence
    )
    with ledger.read() as connection:
        return connection.execute(known).first() is not None


def failed(ledger: Ledger, campaign_id: str, occurrence: str) -> frozenset[str]:
    """Return the address keys of those whose message was rejected, or failed to be delivered."""
    unsuccessful = (messages.c.state == State.REJECTED) | (messages.c.status == Status.FAILED.word)
    with ledger.read() as connection:
        known = select(occurrences.c.id).where(
            occurrences.c.campaign_id == campaign_id, occurrences.c.occurrence == occurrence
        )
        occurrence_id = connection.execute(known).scalar_one_or_none()
        if occurrence_id is None:
            raise CampaignDefinitionError(
                f"Campaign {campaign_id!r} has no occurrence {occurrence!r} whose failed messages "
                "could be sent again. Check its name."
            )
        keys = select(messages.c.address_key).where(
            messages.c.occurrence_id == occurrence_id,
            messages.c.address_key.is_not(None),  # an erased person is nobody's equal
            unsuccessful,
        )
        return frozenset(connection.execute(keys).scalars())


def _cancel(connection: Connection, campaign_id: str, reason: str, now: datetime) -> Sequence[str]:
    """Cancel what no worker has claimed, and return the messages' keys."""
    ids = select(occurrences.c.id).where(occurrences.c.campaign_id == campaign_id)
    cancelled = connection.execute(
        update(messages)
        .where(
            messages.c.occurrence_id.in_(ids),
            messages.c.state.in_(WAITING),
        )
        .values(
            state=State.CANCELLED, reason_code=None, reason=reason, held_until=None, settled_at=now
        )
        .returning(messages.c.message_key)
    )
    return cancelled.scalars().all()


def _progress(campaign: Row[Any], rows: Sequence[Count], test_rows: Sequence[Count]) -> Progress:
    states: dict[State, int] = dict.fromkeys(REPORTED_STATES, 0)
    tests: Counter[str] = Counter()
    for word, _, _, count in test_rows:
        tests[_FOLDED.get(State(word), word)] += count
    blocked: Counter[str] = Counter()
    statuses = {status.word: 0 for status in Status if status is not Status.PENDING}
    attempting = 0
    for word, code, status, count in rows:
        state = State(word)
        states[_FOLDED.get(state, state)] += count
        attempting += count if state is State.ATTEMPTING else 0
        if state is State.BLOCKED:
            blocked[code or UNSPECIFIED] += count
        if status in statuses:
            statuses[status] += count
    return Progress(
        campaign_id=campaign.campaign_id,
        campaign_state=campaign.state,
        reason=campaign.reason,
        recipients=sum(states.values()),
        states={state.value: count for state, count in states.items()},
        blocked_reasons=dict(sorted(blocked.items(), key=lambda item: (-item[1], item[0]))),
        statuses=statuses,
        attempting=attempting,
        tests=dict(sorted(tests.items())),
    )


def _unknown(ledger: Ledger, campaign_id: str) -> CampaignDefinitionError:
    return CampaignDefinitionError(
        f"The ledger {ledger.name} knows no campaign {campaign_id!r}. Check the spelling; a "
        "campaign appears with its first run that is not a dry run."
    )
