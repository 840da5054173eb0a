"""Holding: what met quiet hours waits here, and is let go when its window opens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, select, update

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.sends import ACTOR
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.messages import OPEN, State
from genesys_cloud.outbound.quiet_hours import REASON_CODE

ROWS_PER_TRANSACTION = 10_000
"""How many messages are let go at once: their entries hold up everybody else's."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What is left to do of an occurrence: `open` messages may go out now, `held` ones may not.

    `next_at` is when to look again, None where nothing is held or the campaign may not send.
    """

    profile: str
    active: bool
    open: int
    held: int
    next_at: datetime | None


def waiting(ledger: Ledger, occurrence_id: int) -> Waiting:
    """Return what is left to do of an occurrence."""
    held = messages.c.state == State.HELD
    with ledger.read() as connection:
        found = _control(connection, occurrence_id)
        row = connection.execute(
            select(
                func.count(case((held, 1))).label("held"),
                func.count(case((~held, 1))).label("open"),
                func.min(case((held, messages.c.held_until))).label("until"),
            ).where(
                messages.c.occurrence_id == occurrence_id,
                messages.c.state.in_([*OPEN, State.HELD]),
            )
        ).one()
    active = found.state == "active"
    return Waiting(
        profile=found.profile,
        active=active,
        open=row.open,
        held=row.held,
        next_at=min(filter(None, (row.until, found.deadline))) if active and row.held else None,
    )


def count_held(ledger: Ledger, plan: Plan) -> tuple[int, datetime | None]:
    """Return how many recipients of one planning are held, and when the first window opens."""
    with ledger.read() as connection:
        row = connection.execute(
            select(func.count(), func.min(messages.c.held_until)).where(
                messages.c.occurrence_id == plan.occurrence_id,
                messages.c.state == State.HELD,
                messages.c.plan_no == plan.number,
            )
        ).one()
    return row[0], row[1]


def hold(ledger: Ledger, shard: Shard, shut: Mapping[str, datetime], now: datetime) -> int:
    """Hold what is planned in a shard for places that are shut, and return how many messages.

    `shut` says when the window of each place opens.
    """
    with ledger.write() as connection:
        audit.lock(connection)  # before the messages, as everybody does
        campaign_id = str(_control(connection, shard.occurrence_id).campaign_id)
        return sum(
            _move(
                connection,
                (shard.holds(), messages.c.state == State.PLANNED, messages.c.place == place),
                {"reason_code": REASON_CODE, "reason": reason_until(until), "held_until": until},
                AuditEntry(
                    at=now,
                    actor=ACTOR,
                    action="send.held",
                    campaign_id=campaign_id,
                    previous_status=State.PLANNED,
                    new_status=State.HELD,
                    details={"reason": REASON_CODE, "until": audit.instant(until)},
                ),
            )
            for place, until in shut.items()
        )


def let_go(ledger: Ledger, occurrence_id: int, now: datetime) -> Counter[str]:
    """Plan again what is held and whose window is open now, and return how many in which state.

    Past the campaign's deadline all that is held expires, and of a cancelled campaign it is
    cancelled; a paused one keeps it.
    """
    done: Counter[str] = Counter()
    while moved := _let_some_go(ledger, occurrence_id, now):
        done += moved
    return done


def reason_until(until: datetime) -> str:
    """Return the sentence that says why a message is held."""
    return f"Quiet hours at the recipient's place; the window opens {until:%Y-%m-%d %H:%M} UTC."


def _let_some_go(ledger: Ledger, occurrence_id: int, now: datetime) -> Counter[str]:
    with ledger.write() as connection:
        audit.lock(connection)
        found = _control(connection, occurrence_id)
        state = _verdict(found.state, found.deadline, now)
        if state is None:
            return Counter()
        again = state is State.PLANNED
        held = (messages.c.occurrence_id == occurrence_id, messages.c.state == State.HELD)
        some = select(messages.c.id).where(*held).order_by(messages.c.id)
        some = some.where(messages.c.held_until <= now) if again else some
        moved = _move(
            connection,
            (messages.c.id.in_(some.limit(ROWS_PER_TRANSACTION)),),
            {"held_until": None, "reason_code": None, "reason": None}
            if again
            else {"held_until": None, "settled_at": now},
            AuditEntry(
                at=now,
                actor=ACTOR,
                action="send.released" if again else f"send.{state}",
                campaign_id=found.campaign_id,
                previous_status=State.HELD,
                new_status=state,
                details={"reason": REASON_CODE},
            ),
        )
    return Counter({state.value: moved}) if moved else Counter()


def _verdict(campaign_state: str, deadline: datetime | None, now: datetime) -> State | None:
    """Return what becomes of a message that has waited, None where it goes on waiting."""
    if campaign_state == "cancelled":
        return State.CANCELLED
    if campaign_state != "active":
        return None
    return State.EXPIRED if deadline is not None and deadline <= now else State.PLANNED


def _control(connection: Connection, occurrence_id: int) -> Row[*tuple[Any, ...]]:
    return connection.execute(
        select(
            campaigns.c.campaign_id, campaigns.c.state, occurrences.c.deadline,
            occurrences.c.profile,
        )
        .join(occurrences, occurrences.c.campaign_id == campaigns.c.campaign_id)
        .where(occurrences.c.id == occurrence_id)
    ).one()  # fmt: skip


def _move(
    connection: Connection,
    chosen: Sequence[ColumnElement[bool]],
    values: Mapping[str, object],
    entry: AuditEntry,
) -> int:
    """Put messages into the state that the audit entry gives them, and append it."""
    moved = connection.execute(
        update(messages)
        .where(*chosen)
        .values(state=entry.new_status, **values)
        .returning(messages.c.message_key)
    )
    keys = moved.scalars().all()
    audit.append(connection, audit.about_many(entry, keys))
    return len(keys)
