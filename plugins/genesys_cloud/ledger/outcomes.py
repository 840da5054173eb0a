"""Outcomes: what became of each attempt, recorded a batch in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Update, bindparam, case, update

from genesys_cloud.errors import LeaseLostError
from genesys_cloud.ledger import audit, error_budget, events, opt_outs, rate_gate
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.row_sets import NUMBER, TEXT, row_set
from genesys_cloud.ledger.sends import ACTOR, Claim, held, held_by
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.failure_policy import FailurePolicy, Rule
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.status import about_conversation

NOT_ATTEMPTED = "not_attempted"
"""The reason of a message that was claimed and then not posted, for another one met an obstacle."""

LATE = "late"
"""The reason of a message that was claimed and then not posted, for its slot had passed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one attempt.

    `state` is accepted, rejected or unknown, or planned where it is safe to try again.
    """

    claim: Claim
    state: State
    message_id: str | None = None
    conversation_id: str | None = None
    status: str | None = None
    reason_code: str | None = None
    reason: str | None = field(default=None, repr=False)
    correlation_id: str | None = None

    @property
    def subjects(self) -> list[str]:
        """What a status event may name the message by."""
        own = [self.message_id] if self.message_id else []
        return own + ([about_conversation(self.conversation_id)] if self.conversation_id else [])

    @property
    def failed(self) -> bool:
        """Whether it counts against the campaign's error budget."""
        return self.state in {State.REJECTED, State.UNKNOWN}


def record(
    ledger: Ledger,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    hold_back: tuple[Limit, datetime] | None = None,
) -> None:
    """Record a batch's outcomes in one commit, and apply the status events that came before it.

    `hold_back` names a rate gate and the instant before which nobody may pass it.
    Raises LeaseLostError, and writes nothing, where a claim's fence is stale.
    """
    with ledger.write() as connection:
        audit.lock(connection)
        changed = _settle(connection, outcomes, now)
        if changed != len(outcomes):
            raise LeaseLostError(
                f"{len(outcomes) - changed} of {len(outcomes)} attempted messages were taken over "
                "after their lease ended; they are unknown now, and reconcile_sends settles them."
            )
        tried = [one for one in outcomes if one.reason_code not in {NOT_ATTEMPTED, LATE}]
        audit.append(connection, [_entry(one, now) for one in tried])
        accepted = [name for one in outcomes for name in one.subjects]
        events.apply_parked(connection, accepted, ledger.failures)
        opt_outs.recipients_failed(
            connection, _refused(outcomes, ledger.failures), actor=ACTOR, now=now
        )
        error_budget.check(connection, [one.claim.id for one in outcomes if one.failed], now)
        if hold_back:
            rate_gate.hold_back(connection, *hold_back)


def _refused(outcomes: Sequence[Outcome], failures: FailurePolicy) -> dict[int, Rule]:
    """Return what Genesys' refusals make of the recipients, by row id."""
    return {
        one.claim.id: rule
        for one in outcomes
        if one.state is State.REJECTED and (rule := failures.rule(one.reason_code))
    }


def _settle(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> int:
    """Write outcomes where the fence still holds, and return how many were written."""
    rows = [
        {
            "id": one.claim.id,
            "fence": one.claim.fence,
            "state": one.state,
            "api_message_id": one.message_id,
            "conversation_id": one.conversation_id,
            "status": one.status,
            "reason_code": one.reason_code,
            "reason": one.reason,
            "correlation_id": one.correlation_id,
        }
        for one in outcomes
    ]
    statement = _record_statement(connection.dialect.name)
    return connection.execute(statement, {**held(rows), "b_now": now}).rowcount


@cache
def _record_statement(dialect: str) -> Update:
    texts = (
        "state", "api_message_id", "conversation_id", "status", "reason_code", "reason",
        "correlation_id",
    )  # fmt: skip
    row = row_set(dialect, {"id": NUMBER, "fence": NUMBER} | dict.fromkeys(texts, TEXT))
    now = bindparam("b_now", type_=messages.c.settled_at.type)
    return (
        update(messages)
        .where(held_by(row), messages.c.state == State.ATTEMPTING)
        .values(
            lease_until=None,
            settled_at=case((row.c.state != State.PLANNED, now)),
            status_at=case((row.c.status.is_not(None), now)),
            **{name: row.c[name] for name in texts},
        )
    )


def _entry(outcome: Outcome, now: datetime) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor=ACTOR,
        action="send." + ("deferred" if outcome.state is State.PLANNED else outcome.state),
        campaign_id=outcome.claim.message.campaign_id,
        message_key=outcome.claim.message.message_key,
        message_id=outcome.message_id,
        previous_status=State.ATTEMPTING,
        new_status=outcome.state,
        details={"reason": outcome.reason_code} if outcome.reason_code else {},
    )
