"""Sends: claim, attempt, record. A lease says how long a worker owns a message, a fence who does.

Every write names the fence that its claim was given; once somebody else has claimed the message,
the number is higher, the write matches no row, and the worker learns that it must stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, update

from genesys_cloud.errors import LeaseLostError
from genesys_cloud.ledger import audit, events, rate_gate
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Shard
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.messages import IN_FLIGHT, OutboundMessage, State
from genesys_cloud.outbound.pacing import Limit

ACTOR = "send task"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One message that this worker owns until its lease ends."""

    id: int
    fence: int
    message: OutboundMessage


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Claims, the instant at which each may leave, and whether the campaign may send at all."""

    claims: Sequence[Claim] = ()
    slots: Sequence[datetime] = ()
    active: bool = True


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


def recover(ledger: Ledger, shard: Shard, now: datetime) -> int:
    """Take over what a dead worker left behind, and return how many messages became unknown.

    A claim whose lease has ended was never attempted: it is planned again. An attempt whose lease
    has ended may have left: it is unknown, and nobody sends it again blindly.
    """
    ended = shard.holds() & (messages.c.lease_until <= now)
    lost = messages.c.state == State.ATTEMPTING
    with ledger.write() as connection:
        connection.execute(
            update(messages)
            .where(ended, messages.c.state == State.CLAIMED)
            .values(state=State.PLANNED, lease_until=None)
        )
        rows = connection.execute(
            update(messages)
            .where(ended, lost)
            .values(
                state=State.UNKNOWN,
                lease_until=None,
                fence=messages.c.fence + 1,
                settled_at=now,
                reason_code="worker_lost",
                reason="The worker ended between the attempt and the record of its outcome.",
            )
            .returning(messages.c.message_key, messages.c.occurrence_id)
        ).all()
        if rows:
            campaign_id = _campaign_id(connection, shard.occurrence_id)
            audit.append(connection, [_lost(campaign_id, row.message_key, now) for row in rows])
    return len(rows)


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

    The batch is empty where nothing is left to claim or the campaign is not active.
    """
    with ledger.write() as connection:
        if not _active(connection, shard.occurrence_id):
            return Batch(active=False)
        # SKIP LOCKED: two workers on one shard take different messages instead of waiting in line.
        chosen = (
            select(messages.c.id)
            .where(shard.holds(), messages.c.state == State.PLANNED)
            .order_by(messages.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        ids = connection.execute(chosen).scalars().all()
        if not ids:
            return Batch()
        slots = rate_gate.reserve(connection, limits, len(ids), now)
        connection.execute(
            update(messages)
            .where(messages.c.id.in_(ids))
            .values(
                state=State.CLAIMED,
                fence=messages.c.fence + 1,
                lease_until=slots[-1] + lease,
            )
        )
        return Batch(claims=_claims(connection, ids), slots=slots)


def begin_attempt(ledger: Ledger, batch: Batch, *, now: datetime, lease: timedelta) -> bool:
    """Commit, before any byte leaves, that these messages are being attempted.

    Returns False, and gives the claims back, where the campaign was paused or cancelled meanwhile.
    Raises LeaseLostError where somebody else owns one of them by now.
    """
    with ledger.write() as connection:
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
        changed = connection.execute(
            update(messages).where(held, messages.c.state == State.CLAIMED).values(values),
            [{"b_id": one.id, "b_fence": one.fence} for one in batch.claims],
        ).rowcount
        if changed != len(batch.claims):
            raise LeaseLostError(
                f"{len(batch.claims) - changed} of {len(batch.claims)} claimed messages belong to "
                "another worker now, so this batch is not sent. The other worker goes on with it."
            )
    return active


def record(
    ledger: Ledger,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    hold_back: tuple[str, datetime] | None = None,
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
        audit.append(connection, [_entry(one, now) for one in outcomes])
        accepted = [one.message_id for one in outcomes if one.message_id]
        events.apply_parked(connection, accepted)
        if hold_back:
            rate_gate.hold_back(connection, *hold_back)


def lease_ends(ledger: Ledger, shard: Shard) -> datetime | None:
    """Return when the next lease of another worker in this shard ends, None where there is none."""
    with ledger.read() as connection:
        return connection.execute(
            select(func.min(messages.c.lease_until)).where(
                shard.holds(), messages.c.state.in_(IN_FLIGHT)
            )
        ).scalar()


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


def _lost(campaign_id: str, message_key: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor=ACTOR,
        action="send.unknown",
        campaign_id=campaign_id,
        message_key=message_key,
        previous_status=State.ATTEMPTING,
        new_status=State.UNKNOWN,
        details={"reason": "worker_lost"},
    )


def _active(connection: Connection, occurrence_id: int) -> bool:
    state = connection.execute(
        select(campaigns.c.state)
        .join(occurrences, occurrences.c.campaign_id == campaigns.c.campaign_id)
        .where(occurrences.c.id == occurrence_id)
    ).scalar_one()
    return bool(state == "active")


def _active_for(connection: Connection, claims: Sequence[Claim]) -> bool:
    campaign_ids = {one.message.campaign_id for one in claims}
    states = connection.execute(
        select(campaigns.c.state).where(campaigns.c.campaign_id.in_(campaign_ids))
    ).scalars()
    return all(state == "active" for state in states)


def _campaign_id(connection: Connection, occurrence_id: int) -> str:
    return str(
        connection.execute(
            select(occurrences.c.campaign_id).where(occurrences.c.id == occurrence_id)
        ).scalar_one()
    )


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
