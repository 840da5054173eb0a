"""Sends: claim and attempt; outcomes.py has the third step, record.

A lease says how long a worker owns a message, a fence who does. Every write names the fence that
its claim was given; once somebody else has claimed the message, the number is higher, the write
matches no row, and the worker learns that it must stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Update, bindparam, select, update

from genesys_cloud.errors import LeaseLostError
from genesys_cloud.ledger import approvals, audit, blocking, caps, rate_gate
from genesys_cloud.ledger.approvals import Verdict
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.row_sets import NUMBER, encoded, row_set
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.messages import OutboundMessage, State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.quiet_hours import QuietHours
from genesys_cloud.outbound.timing import windows

ACTOR = "send task"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One message that this worker owns until its lease ends.

    From `closes_at` on its recipient has quiet hours; None where there are none.
    """

    id: int
    fence: int
    message: OutboundMessage
    closes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Claims, the instant at which each may leave, and whether the campaign may send at all.

    After `deadline` none of them may leave. An empty batch with `wait_until` means that a limit
    has no slot before then. `shut` are the places of planned messages that have quiet hours now,
    and when each of them opens: they are to be held. `noted_at` is when the occurrence was last
    noted to have sent, None for never.
    """

    claims: Sequence[Claim] = ()
    slots: Sequence[datetime] = ()
    active: bool = True
    deadline: datetime | None = None
    wait_until: datetime | None = None
    shut: Mapping[str, datetime] = field(default_factory=dict)
    occurrence_id: int = 0
    noted_at: datetime | None = None


def claim(
    ledger: Ledger,
    shard: Shard,
    limits: Sequence[Limit],
    *,
    most: int,
    now: datetime,
    lease: timedelta,
    quiet: QuietHours | None = None,
) -> Batch:
    """Claim up to `most` planned messages and reserve their slots, in one transaction.

    The batch is empty where nothing is left to claim, the campaign is not active, its plan is no
    longer the shard's, or nobody has approved that; while it is being planned, the batch says when
    to look again. What is left of a cancelled campaign is cancelled here, and what is past its
    deadline has expired. Messages for places that `quiet` says are shut are not claimed. Raises
    PolicyError where messages have quiet hours, and it is None.
    """
    with ledger.write() as connection:
        found = connection.execute(_CONTROL, {"within": shard.occurrence_id}).one()
        if found.state == "cancelled":
            _retire(connection, shard, found.campaign_id, State.CANCELLED, now)
        verdict = approvals.verdict(found, shard.plan_digest, now)
        if found.state == "active" and verdict is Verdict.WAIT:
            return Batch(wait_until=now + approvals.LOOK_AGAIN)
        half_planned = found.capped_plan_no not in (None, found.plan_no)
        stopped = verdict is Verdict.STOP or found.profile != shard.profile or half_planned
        if found.state != "active" or stopped:
            return Batch(active=False)
        if found.deadline is not None and found.deadline <= now:
            _retire(connection, shard, found.campaign_id, State.EXPIRED, now)
        # Before there were digests, nothing counted an earlier plan's rows to a later one.
        plan = {"plan": found.plan_no if found.plan_digest else 0, "latest": found.plan_no}
        span = {"first": shard.first_id, "last": shard.last_id, "most": most}
        rows = connection.execute(_CHOSEN, {"within": shard.occurrence_id, **span, **plan}).all()
        shut, closing = windows(quiet, {row.place for row in rows if row.place is not None}, now)
        rows = [row for row in rows if row.place not in shut]
        if not rows:
            return Batch(shut=shut)
        slots = rate_gate.reserve(connection, limits, [row.segments or 1 for row in rows], now)
        if slots.wait_until is not None:
            return Batch(wait_until=slots.wait_until, shut=shut)
        rows = rows[: len(slots.instants)]
        owned = held([{"id": row.id, "fence": row.fence} for row in rows])
        owned["until"] = slots.instants[-1] + lease
        connection.execute(_changes(connection).take, owned)
    claims = [_claim(row, found, closing.get(row.place)) for row in rows]
    return Batch(
        claims=claims,
        slots=slots.instants,
        deadline=found.deadline,
        shut=shut,
        occurrence_id=shard.occurrence_id,
        noted_at=found.last_attempt_at,
    )


def begin_attempt(ledger: Ledger, batch: Batch, *, now: datetime, lease: timedelta) -> Batch:
    """Commit, before any byte leaves, that these messages are being attempted.

    Returns the batch less those who were suppressed meanwhile; an empty one, and gives the claims
    back, where the campaign was paused or cancelled. Raises LeaseLostError where somebody else
    owns one of them by now.
    """
    with ledger.write() as connection:
        # First, for whoever suppresses or cancels holds it too: either we see that, or it comes
        # after the attempt.
        audit.lock(connection)
        batch = _allowed(connection, batch, now)
        active = _active_for(connection, batch.claims)
        changes = _changes(connection)
        owned = held([{"id": one.id, "fence": one.fence} for one in batch.claims])
        changed = connection.execute(
            changes.attempt if active else changes.release,
            {**owned, "until": now + lease, "now": now} if active else owned,
        ).rowcount
        if changed != len(batch.claims):
            raise LeaseLostError(
                f"{len(batch.claims) - changed} of {len(batch.claims)} claimed messages belong to "
                "another worker now, so this batch is not sent. The other worker goes on with it."
            )
        if active and batch.claims:
            caps.note_attempt(connection, batch.occurrence_id, now, batch.noted_at)
            audit.append(connection, _attempts(batch.claims, now))
    return batch if active else Batch(active=False)


_CONTROL = (
    select(
        campaigns,
        occurrences.c.deadline,
        occurrences.c.channel,
        occurrences.c.sender,
        occurrences.c.profile,
        occurrences.c.plan_no,
        occurrences.c.planned_at,
        occurrences.c.plan_digest,
        occurrences.c.approved_digest,
        occurrences.c.capped_plan_no,
        occurrences.c.last_attempt_at,
        occurrences.c.use_active_conversation,
    )
    .join(occurrences, occurrences.c.campaign_id == campaigns.c.campaign_id)
    .where(occurrences.c.id == bindparam("within"))
)
_CHOSEN = (
    select(
        messages.c.id,
        messages.c.fence,
        messages.c.message_key,
        messages.c.address,
        messages.c.text,
        messages.c.segments,
        messages.c.place,
    )
    .where(
        messages.c.occurrence_id == bindparam("within"),
        messages.c.id.between(bindparam("first"), bindparam("last")),
        messages.c.state == State.PLANNED,
        # Nor what a plan has written that began since the occurrence was read.
        messages.c.plan_no.between(bindparam("plan"), bindparam("latest")),
    )
    .order_by(messages.c.id)
    .limit(bindparam("most"))
    # Two workers on one shard take different messages instead of waiting in line.
    .with_for_update(skip_locked=True)
)


def held(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Return the parameters of a statement over `held_by`, given rows with id and fence."""
    ids = [row["id"] for row in rows]
    return {**encoded(rows), "from_id": min(ids, default=0), "to_id": max(ids, default=0)}


def held_by(row: FromClause) -> ColumnElement[bool]:
    """The condition that a message is one of the rows, and that nobody has claimed it since."""
    # The range says nothing new, but a planner that has no statistics yet reads no more than that.
    span = messages.c.id.between(bindparam("from_id"), bindparam("to_id"))
    return span & (messages.c.id == row.c.id) & (messages.c.fence == row.c.fence)


class _Changes(NamedTuple):
    take: Update
    attempt: Update
    release: Update


def _changes(connection: Connection) -> _Changes:
    return _changes_in(connection.dialect.name)


@cache
def _changes_in(dialect: str) -> _Changes:
    row = row_set(dialect, {"id": NUMBER, "fence": NUMBER})
    mine = held_by(row)
    ours = update(messages).where(mine, messages.c.state == State.CLAIMED)
    return _Changes(
        take=update(messages)
        .where(mine)
        .values(state=State.CLAIMED, fence=messages.c.fence + 1, lease_until=bindparam("until")),
        attempt=ours.values(
            state=State.ATTEMPTING,
            lease_until=bindparam("until"),
            attempted_at=bindparam("now"),
            attempts=messages.c.attempts + 1,
        ),
        release=ours.values(state=State.PLANNED, lease_until=None),
    )


def _claim(
    row: Row[*tuple[Any, ...]], found: Row[*tuple[Any, ...]], closes_at: datetime | None
) -> Claim:
    return Claim(
        id=row.id,
        fence=row.fence + 1,
        closes_at=closes_at,
        message=OutboundMessage(
            message_key=row.message_key,
            campaign_id=found.campaign_id,
            channel=found.channel,
            sender=found.sender,
            recipient=row.address,
            text=row.text,
            consent_verified=True,  # planning blocks everybody else
            use_active_conversation=found.use_active_conversation,
        ),
    )


def _attempts(claims: Sequence[Claim], now: datetime) -> list[AuditEntry]:
    entry = AuditEntry(
        at=now, actor=ACTOR, action="send.attempting", campaign_id=claims[0].message.campaign_id,
        previous_status=State.CLAIMED, new_status=State.ATTEMPTING,
    )  # fmt: skip
    return audit.about_many(entry, [one.message.message_key for one in claims])


def _retire(
    connection: Connection, shard: Shard, campaign_id: str, state: State, now: datetime
) -> None:
    """Settle everything of the shard that nobody has claimed."""
    audit.lock(connection)  # before the messages, as everybody does
    retired = connection.execute(
        update(messages)
        .where(shard.holds(), messages.c.state == State.PLANNED)
        .values(state=state, settled_at=now)
        .returning(messages.c.message_key)
    )
    entry = AuditEntry(
        at=now, actor=ACTOR, action=f"send.{state}", campaign_id=campaign_id,
        previous_status=State.PLANNED, new_status=state,
    )  # fmt: skip
    audit.append(connection, audit.about_many(entry, list(retired.scalars())))


def _allowed(connection: Connection, batch: Batch, now: datetime) -> Batch:
    blocked = blocking.block_claimed(connection, [one.id for one in batch.claims], now)
    if not blocked:
        return batch
    kept = [
        (one, slot)
        for one, slot in zip(batch.claims, batch.slots, strict=True)
        if one.id not in blocked
    ]
    return replace(batch, claims=[one for one, _ in kept], slots=[slot for _, slot in kept])


def _active_for(connection: Connection, claims: Sequence[Claim]) -> bool:
    theirs = campaigns.c.campaign_id.in_({one.message.campaign_id for one in claims})
    states = connection.execute(select(campaigns.c.state).where(theirs)).scalars()
    return all(state == "active" for state in states)
