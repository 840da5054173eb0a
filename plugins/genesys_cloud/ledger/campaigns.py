"""A campaign as a whole: whether it may send, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.messages import WAITING, State
from genesys_cloud.outbound.status import Status

REPORTED_STATES = tuple(state for state in State if state not in (State.CLAIMED, State.ATTEMPTING))
"""The states of a campaign's status; the two in-flight ones are folded into these."""

_FOLDED = {State.CLAIMED: State.PLANNED, State.ATTEMPTING: State.UNKNOWN}
"""A claimed message has not been tried; an attempted one without an outcome may have left."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a campaign, or one occurrence of it, has come; `states` add up to `recipients`."""

    campaign_id: str
    campaign_state: str
    reason: str | None
    recipients: int
    states: Mapping[str, int]
    blocked_reasons: Mapping[str, int]
    statuses: Mapping[str, int]
    in_flight: int

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
        }


def progress(ledger: Ledger, campaign_id: str, *, occurrence_id: int | None = None) -> Progress:
    """Count a campaign's recipients by state, blocking reason and delivery status."""
    with ledger.read() as connection:
        campaign = connection.execute(
            select(campaigns).where(campaigns.c.campaign_id == campaign_id)
        ).one_or_none()
        if campaign is None:
            raise _unknown(ledger, campaign_id)
        rows = connection.execute(
            select(messages.c.state, messages.c.reason_code, messages.c.status, func.count())
            .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
            .where(_scope(campaign_id, occurrence_id))
            .group_by(messages.c.state, messages.c.reason_code, messages.c.status)
        ).all()
    return _progress(campaign_id, campaign.state, campaign.reason, [tuple(row) for row in rows])


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
        .values(state=State.CANCELLED, reason=reason, settled_at=now)
        .returning(messages.c.message_key)
    )
    return cancelled.scalars().all()


def _scope(campaign_id: str, occurrence_id: int | None) -> ColumnElement[bool]:
    scope = occurrences.c.campaign_id == campaign_id
    return scope if occurrence_id is None else scope & (occurrences.c.id == occurrence_id)


def _progress(
    campaign_id: str,
    campaign_state: str,
    reason: str | None,
    rows: Sequence[tuple[str, str | None, str | None, int]],
) -> Progress:
    states: dict[State, int] = dict.fromkeys(REPORTED_STATES, 0)
    blocked: dict[str, int] = {}
    statuses = {status.word: 0 for status in Status if status is not Status.PENDING}
    in_flight = 0
    for word, code, status, count in rows:
        state = State(word)
        states[_FOLDED.get(state, state)] += count
        in_flight += count if state in _FOLDED else 0
        if state is State.BLOCKED:
            blocked[code or "unspecified"] = blocked.get(code or "unspecified", 0) + count
        if status in statuses:
            statuses[status] += count
    return Progress(
        campaign_id=campaign_id,
        campaign_state=campaign_state,
        reason=reason,
        recipients=sum(states.values()),
        states={state.value: count for state, count in states.items()},
        blocked_reasons=dict(sorted(blocked.items(), key=lambda item: (-item[1], item[0]))),
        statuses=statuses,
        in_flight=in_flight,
    )


def _unknown(ledger: Ledger, campaign_id: str) -> CampaignDefinitionError:
    return CampaignDefinitionError(
        f"The ledger {ledger.name} knows no campaign {campaign_id!r}. Check the spelling; a "
        "campaign appears with its first run that is not a dry run."
    )
