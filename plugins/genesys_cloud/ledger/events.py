"""Status events: each counted once, in order, and kept until its message is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages, occurrences, status_events
from genesys_cloud.outbound.status import Status, StatusEvent, advance

ACTOR = "webhook"


class Effect(StrEnum):
    """What an event did."""

    APPLIED = "applied"  # the message moved
    STALE = "stale"  # the message was there already, or further
    PARKED = "parked"  # the message is not in the ledger yet
    UNKNOWN_STATUS = "unknown_status"  # a word that this vocabulary lacks
    DUPLICATE = "duplicate"  # the event had come before


@dataclass
class _Tracked:
    """A message while a transaction moves it; several events may move it in turn."""

    id: int
    message_key: str
    campaign_id: str
    status: Status
    status_at: datetime | None
    moved: bool = False


def apply(ledger: Ledger, arrived: Sequence[StatusEvent], now: datetime) -> list[Effect]:
    """Count the events in one transaction, and return what each did, in their order."""
    with ledger.write() as connection:
        audit.lock(connection)
        fresh = _insert(connection, arrived, now)
        seen: Counter[str] = Counter()
        first: list[bool] = []
        for event in arrived:
            first.append(event.event_id in fresh and not seen[event.event_id])
            seen[event.event_id] += 1
        new = [event for event, is_first in zip(arrived, first, strict=True) if is_first]
        effects = iter(_move(connection, new))
        return [next(effects) if is_first else Effect.DUPLICATE for is_first in first]


def apply_parked(connection: Connection, message_ids: Iterable[str]) -> None:
    """Apply, in their order in time, the events that came before these messages were recorded."""
    rows = connection.execute(
        select(status_events)
        .where(
            status_events.c.api_message_id.in_(list(message_ids)),
            status_events.c.outcome == Effect.PARKED,
        )
        .order_by(status_events.c.occurred_at, status_events.c.id)
    ).all()
    if rows:
        _move(
            connection,
            [
                StatusEvent(
                    event_id=row.event_id,
                    message_id=row.api_message_id,
                    status=row.status,
                    occurred_at=row.occurred_at,
                )
                for row in rows
            ],
        )


def _insert(
    connection: Connection, arrived: Sequence[StatusEvent], now: datetime
) -> frozenset[str]:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insertion = (
        dialect.insert(status_events).on_conflict_do_nothing().returning(status_events.c.event_id)
    )
    rows = {
        event.event_id: {
            "event_id": event.event_id,
            "api_message_id": event.message_id,
            "status": event.status,
            "occurred_at": event.occurred_at,
            "received_at": now,
            "outcome": Effect.PARKED,
        }
        for event in arrived
    }
    if not rows:
        return frozenset()
    return frozenset(connection.execute(insertion, list(rows.values())).scalars())


def _move(connection: Connection, new: Sequence[StatusEvent]) -> list[Effect]:
    """Move each event's message, write the audit entries, and note each event's effect."""
    tracked = _tracked(connection, {event.message_id for event in new})
    effects: list[Effect] = []
    entries: list[AuditEntry] = []
    for event in new:
        status = Status.parse(event.status)
        targets = tracked.get(event.message_id, [])
        if status is None:
            effects.append(Effect.UNKNOWN_STATUS)
        elif not targets:
            effects.append(Effect.PARKED)
        else:
            moves = [_advance(one, event, status) for one in targets]
            entries += [entry for entry in moves if entry is not None]
            effects.append(Effect.APPLIED if any(moves) else Effect.STALE)
    _save(connection, [one for many in tracked.values() for one in many if one.moved])
    _note(connection, new, effects)
    audit.append(connection, entries)
    return effects


def _advance(one: _Tracked, event: StatusEvent, status: Status) -> AuditEntry | None:
    step = advance(one.status, status)
    if not step.moved:
        return None
    previous, one.status, one.status_at, one.moved = one.status, status, event.occurred_at, True
    return AuditEntry(
        at=event.occurred_at,
        actor=ACTOR,
        action="status.changed",
        campaign_id=one.campaign_id,
        message_key=one.message_key,
        message_id=event.message_id,
        previous_status=previous.word,
        new_status=status.word,
        event_id=event.event_id,
        details={"contradiction": True} if step.contradiction else {},
    )


def _tracked(connection: Connection, message_ids: Iterable[str]) -> Mapping[str, list[_Tracked]]:
    rows = connection.execute(
        select(
            messages.c.id,
            messages.c.message_key,
            messages.c.api_message_id,
            messages.c.status,
            messages.c.status_at,
            occurrences.c.campaign_id,
        )
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .where(messages.c.api_message_id.in_(list(message_ids)))
    )
    found: dict[str, list[_Tracked]] = {}
    for row in rows:
        one = _Tracked(
            id=row.id,
            message_key=row.message_key,
            campaign_id=row.campaign_id,
            status=Status.parse(row.status or "pending") or Status.PENDING,
            status_at=row.status_at,
        )
        found.setdefault(row.api_message_id, []).append(one)
    return found


def _save(connection: Connection, moved: Sequence[_Tracked]) -> None:
    if moved:
        values: list[dict[str, Any]] = [
            {"b_id": one.id, "status": one.status.word, "status_at": one.status_at} for one in moved
        ]
        connection.execute(update(messages).where(messages.c.id == bindparam("b_id")), values)


def _note(connection: Connection, new: Sequence[StatusEvent], effects: Sequence[Effect]) -> None:
    values = [
        {"b_event_id": event.event_id, "outcome": effect}
        for event, effect in zip(new, effects, strict=True)
        if effect is not Effect.PARKED
    ]
    if values:
        condition = status_events.c.event_id == bindparam("b_event_id")
        connection.execute(update(status_events).where(condition), values)
