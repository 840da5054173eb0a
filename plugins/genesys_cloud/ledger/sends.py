"""Sends: claim, attempt, record. A lease says how long a worker owns a message, a fence who does.

Every write names the fence that its claim was given; once somebody else has claimed the message,
the number is higher, the write matches no row, and the worker learns that it must stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from genesys_cloud.errors import LeaseLostError
from genesys_cloud.ledger import audit, error_budget, events, rate_gate, suppressions
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Shard
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.messages import OutboundMessage, State
from genesys_cloud.outbound.pacing import Limit

ACTOR = "send task"

NOT_ATTEMPTED = "not_attempted"
"""The reason of a message that was claimed and then not posted, for another one met an obstacle."""

LATE = "late"
"""The reason of a message that was claimed and then not posted, for its slot had passed."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One message that this worker owns until its lease ends."""

    id: int
    fence: int
    message: OutboundMessage


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Claims, the instant at which each may leave, and whether the campaign may send at all.

    After `deadline` none of them may leave. An empty batch with `wait_until` means that a limit
    has no slot before then.
    """

    claims: Sequence[Claim] = ()
    slots: Sequence[datetime] = ()
    active: bool = True
    deadline: datetime | None = None
    wait_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one attempt.

    `state` is accepted, rejected or unknown, or planned where it is safe to try again.
    """

    claim: Claim
    state: State
    message_id: str | None = None
    status: str | None = None
    reason_code: str | None = None
    reason: str | None = field(default=None, repr=False)
    correlation_id: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it counts against the campaign's error budget."""
        return self.state in {State.REJECTED, State.UNKNOWN}


def claim(
    ledger: Ledger,
    shard: Shard,
    limits: Sequence[Limit],
    *,
    most: int,
    now: datetime,
    lease: timedelta,
) -> Batch:
    """Claim up to `most` planned messages and reserve their slots, in one transaction.

    The batch is empty where nothing is left to claim or the campaign is not active. What is left
    of a cancelled campaign is cancelled here, and what is past its deadline has expired.
    """
    with ledger.write() as connection:
        campaign_state, deadline = _control(connection, shard.occurrence_id)
        if campaign_state == "cancelled":
            _retire(connection, shard, State.CANCELLED, now)
        if campaign_state != "active":
            return Batch(active=False)
        if deadline is not None and deadline <= now:
            _retire(connection, shard, State.EXPIRED, now)
        # SKIP LOCKED: two workers on one shard take different messages instead of waiting in line.
        chosen = (
            select(messages.c.id, messages.c.segments)
            .where(shard.holds(), messages.c.state == State.PLANNED)
            .order_by(messages.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        rows = connection.execute(chosen).all()
        if not rows:
            return Batch()
        slots = rate_gate.reserve(connection, limits, [row.segments or 1 for row in rows], now)
        if slots.wait_until is not None:
            return Batch(wait_until=slots.wait_until)
        ids = [row.id for row in rows[: len(slots.instants)]]
        connection.execute(
            update(messages)
            .where(messages.c.id.in_(ids))
            .values(
                state=State.CLAIMED,
                fence=messages.c.fence + 1,
                lease_until=slots.instants[-1] + lease,
            )
        )
        return Batch(claims=_claims(connection, ids), slots=slots.instants, deadline=deadline)


def begin_attempt(ledger: Ledger, batch: Batch, *, now: datetime, lease: timedelta) -> Batch:
    """Commit, before any byte leaves, that these messages are being attempted.

    Returns the batch less those who were suppressed meanwhile; an empty one, and gives the claims
    back, where the campaign was paused or cancelled. Raises LeaseLostError where somebody else
    owns one of them by now.
    """
    with ledger.write() as connection:
        batch = _unsuppressed(connection, batch, now)
        active = _active_for(connection, batch.claims)
        values: dict[str, object] = {"state": State.PLANNED, "lease_until": None}
        if active:
            values = {
                "state": State.ATTEMPTING,
                "lease_until": now + lease,
                "attempted_at": now,
                "attempts": messages.c.attempts + 1,
            }
        held = (messages.c.id == bindparam("b_id")) & (messages.c.fence == bindparam("b_fence"))
        statement = update(messages).where(held, messages.c.state == State.CLAIMED).values(values)
        owned = [{"b_id": one.id, "b_fence": one.fence} for one in batch.claims]
        changed = connection.execute(statement, owned).rowcount if owned else 0
        if changed != len(batch.claims):
            raise LeaseLostError(
                f"{len(batch.claims) - changed} of {len(batch.claims)} claimed messages belong to "
                "another worker now, so this batch is not sent. The other worker goes on with it."
            )
    return batch if active else Batch(active=False)


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
        changed = connection.execute(_RECORD, [_values(one, now) for one in outcomes]).rowcount
        if changed != len(outcomes):
            raise LeaseLostError(
                f"{len(outcomes) - changed} of {len(outcomes)} attempted messages were taken over "
                "after their lease ended; they are unknown now, and reconcile_sends settles them."
            )
        tried = [one for one in outcomes if one.reason_code not in {NOT_ATTEMPTED, LATE}]
        audit.append(connection, [_entry(one, now) for one in tried])
        accepted = [one.message_id for one in outcomes if one.message_id]
        events.apply_parked(connection, accepted)
        error_budget.check(connection, [one.claim.id for one in outcomes if one.failed], now)
        if hold_back:
            rate_gate.hold_back(connection, *hold_back)


_RECORD = (
    update(messages)
    .where(
        messages.c.id == bindparam("b_id"),
        messages.c.fence == bindparam("b_fence"),
        messages.c.state == State.ATTEMPTING,
    )
    .values({name: bindparam(name) for name in (
        "state", "lease_until", "settled_at", "api_message_id", "status", "status_at",
        "reason_code", "reason", "correlation_id",
    )})
)  # fmt: skip


def _values(outcome: Outcome, now: datetime) -> dict[str, object]:
    settled = outcome.state is not State.PLANNED
    return {
        "b_id": outcome.claim.id,
        "b_fence": outcome.claim.fence,
        "state": outcome.state,
        "lease_until": None,
        "settled_at": now if settled else None,
        "api_message_id": outcome.message_id,
        "status": outcome.status,
        "status_at": now if outcome.status else None,
        "reason_code": outcome.reason_code,
        "reason": outcome.reason,
        "correlation_id": outcome.correlation_id,
    }


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


def _control(connection: Connection, occurrence_id: int) -> tuple[str, datetime | None]:
    """Return whether the occurrence's campaign may send, and until when."""
    row = connection.execute(
        select(campaigns.c.state, occurrences.c.deadline)
        .join(occurrences, occurrences.c.campaign_id == campaigns.c.campaign_id)
        .where(occurrences.c.id == occurrence_id)
    ).one()
    return row.state, row.deadline


def _retire(connection: Connection, shard: Shard, state: State, now: datetime) -> None:
    """Settle everything of the shard that nobody has claimed."""
    connection.execute(
        update(messages)
        .where(shard.holds(), messages.c.state == State.PLANNED)
        .values(state=state, settled_at=now)
    )


def _unsuppressed(connection: Connection, batch: Batch, now: datetime) -> Batch:
    ids = [one.id for one in batch.claims]
    mine = messages.c.id.in_(ids) & (messages.c.state == State.CLAIMED)
    blocked = suppressions.block(connection, mine, now)
    if not blocked:
        return batch
    kept = [
        (one, slot)
        for one, slot in zip(batch.claims, batch.slots, strict=True)
        if one.id not in blocked
    ]
    return replace(batch, claims=[one for one, _ in kept], slots=[slot for _, slot in kept])


def _active_for(connection: Connection, claims: Sequence[Claim]) -> bool:
    campaign_ids = {one.message.campaign_id for one in claims}
    states = connection.execute(
        select(campaigns.c.state).where(campaigns.c.campaign_id.in_(campaign_ids))
    ).scalars()
    return all(state == "active" for state in states)


def _claims(connection: Connection, ids: Iterable[int]) -> list[Claim]:
    rows = connection.execute(
        select(messages, occurrences.c.campaign_id, occurrences.c.channel, occurrences.c.sender)
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .where(messages.c.id.in_(list(ids)))
        .order_by(messages.c.id)
    )
    return [
        Claim(
            id=row.id,
            fence=row.fence,
            message=OutboundMessage(
                message_key=row.message_key,
                campaign_id=row.campaign_id,
                channel=row.channel,
                sender=row.sender,
                recipient=row.address,
                text=row.text,
                consent_verified=True,  # planning blocks everybody else
            ),
        )
        for row in rows
    ]
