"""Status events: each counted once, in order, and kept until its message is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Insert, Select, Update, bindparam, insert, select, update

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.row_sets import MOMENT, NUMBER, TEXT, encoded, moment, row_set
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


@dataclass(slots=True)
class _Tracked:
    """A message while a transaction moves it; several events may move it in turn."""

    id: int
    message_key: str
    campaign_id: str
    status: Status
    status_at: datetime | None = None
    moved: bool = False


def apply(ledger: Ledger, arrived: Sequence[StatusEvent], now: datetime) -> list[Effect]:
    """Count the events in one transaction, and return what each did, in their order."""
    with ledger.write() as connection:
        # Whoever counts events holds this lock, so what is not known now comes from nobody else.
        audit.lock(connection)
        seen = _known(connection, [event.event_id for event in arrived])
        new: list[StatusEvent] = []
        is_new: list[bool] = []
        for event in arrived:
            is_new.append(event.event_id not in seen)
            if is_new[-1]:
                seen.add(event.event_id)
                new.append(event)
        effects = _move(connection, new)
        _keep(connection, new, effects, now)
        found = iter(effects)
        return [next(found) if fresh else Effect.DUPLICATE for fresh in is_new]


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
    parked = [
        StatusEvent(
            event_id=row.event_id,
            message_id=row.api_message_id,
            status=row.status,
            occurred_at=row.occurred_at,
        )
        for row in rows
    ]
    _note(connection, parked, _move(connection, parked))


def _known(connection: Connection, event_ids: Sequence[str]) -> set[str]:
    if not event_ids:
        return set()
    rows = encoded([{"event_id": event_id} for event_id in event_ids])
    return set(connection.execute(_statements(connection.dialect.name).known, rows).scalars())


def _keep(
    connection: Connection, new: Sequence[StatusEvent], effects: Sequence[Effect], now: datetime
) -> None:
    dialect = connection.dialect.name
    received_at = moment(dialect, now)
    rows = [
        {
            "event_id": event.event_id,
            "api_message_id": event.message_id,
            "status": event.status,
            "occurred_at": moment(dialect, event.occurred_at),
            "received_at": received_at,
            "outcome": effect,
        }
        for event, effect in zip(new, effects, strict=True)
    ]
    if rows:
        connection.execute(_statements(dialect).keep, encoded(rows))


def _move(connection: Connection, new: Sequence[StatusEvent]) -> list[Effect]:
    """Move each event's message, write the audit entries, and return each event's effect."""
    if not new:
        return []
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
    asked = encoded([{"api_message_id": message_id} for message_id in message_ids])
    found: dict[str, list[_Tracked]] = {}
    rows = connection.execute(_statements(connection.dialect.name).tracked, asked)
    for row_id, message_key, message_id, word, campaign_id in rows:
        one = _Tracked(
            id=row_id,
            message_key=message_key,
            campaign_id=campaign_id,
            status=Status.parse(word or "pending") or Status.PENDING,
        )
        found.setdefault(message_id, []).append(one)
    return found


def _save(connection: Connection, moved: Sequence[_Tracked]) -> None:
    dialect = connection.dialect.name
    rows = [
        {
            "id": one.id,
            "status": one.status.word,
            "status_at": one.status_at and moment(dialect, one.status_at),
        }
        for one in moved
    ]
    if rows:
        connection.execute(_statements(dialect).save, encoded(rows))


def _note(connection: Connection, new: Sequence[StatusEvent], effects: Sequence[Effect]) -> None:
    values = [
        {"b_event_id": event.event_id, "outcome": effect}
        for event, effect in zip(new, effects, strict=True)
        if effect is not Effect.PARKED
    ]
    if values:
        condition = status_events.c.event_id == bindparam("b_event_id")
        connection.execute(update(status_events).where(condition), values)


class _Statements(NamedTuple):
    known: Select[str]
    tracked: Select[int, str, str, str, str]
    save: Update
    keep: Insert


@cache
def _statements(dialect: str) -> _Statements:
    ids = row_set(dialect, {"event_id": TEXT})
    asked = row_set(dialect, {"api_message_id": TEXT})
    kept = row_set(
        dialect,
        dict.fromkeys(("event_id", "api_message_id", "status"), TEXT)
        | dict.fromkeys(("occurred_at", "received_at"), MOMENT)
        | {"outcome": TEXT},
    )
    moved = row_set(dialect, {"id": NUMBER, "status": TEXT, "status_at": MOMENT})
    return _Statements(
        known=select(status_events.c.event_id).where(
            status_events.c.event_id.in_(select(ids.c.event_id))
        ),
        tracked=select(
            messages.c.id,
            messages.c.message_key,
            messages.c.api_message_id,
            messages.c.status,
            occurrences.c.campaign_id,
        )
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .where(messages.c.api_message_id.in_(select(asked.c.api_message_id))),
        save=update(messages)
        .where(messages.c.id == moved.c.id)
        .values(status=moved.c.status, status_at=moved.c.status_at),
        keep=insert(status_events).from_select(list(kept.c.keys()), select(*kept.c)),
    )
