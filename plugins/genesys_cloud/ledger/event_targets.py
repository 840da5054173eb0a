"""The messages that events are about: found, moved, and asked about where nobody can say which.

A batch of events costs what a single one costs: one statement for all, with all rows as its one
parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Update, func, select, update

from genesys_cloud.ledger.row_sets import MOMENT, NUMBER, TEXT, encoded, moment, row_set
from genesys_cloud.ledger.tables import IN_CONVERSATION, messages, occurrences
from genesys_cloud.outbound.asking import POLLED
from genesys_cloud.outbound.status import FINAL, Status, about_conversation, conversation_of


@dataclass(slots=True)
class Tracked:
    """A message while a transaction moves it; several events may move it in turn."""

    id: int
    message_id: str | None
    message_key: str
    campaign_id: str
    status: Status
    status_at: datetime | None = None
    reason_code: str | None = None
    attempted_at: datetime | None = None
    moved: bool = False


def find(connection: Connection, message_ids: Iterable[str]) -> Mapping[str, list[Tracked]]:
    """Return the messages that each of the events is about, by what the event names."""
    asked: list[dict[str, str]] = []
    conversations: list[dict[str, str]] = []
    for message_id in message_ids:
        conversation = conversation_of(message_id)
        if conversation is None:
            asked.append({"api_message_id": message_id})
        else:
            conversations.append({"conversation_id": conversation})
    statements = _statements(connection.dialect.name)
    found: dict[str, list[Tracked]] = {}
    known: dict[int, Tracked] = {}
    if asked:
        for row in connection.execute(statements.by_message, encoded(asked)):
            found.setdefault(row.message_id, []).append(_track(row, known))
    if conversations:
        for row in connection.execute(statements.by_conversation, encoded(conversations)):
            found.setdefault(about_conversation(row.conversation_id), []).append(_track(row, known))
    return found


def _track(row: Row[*tuple[Any, ...]], known: dict[int, Tracked]) -> Tracked:
    """Return a message, the same one however an event names it."""
    row_id, message_id, message_key, word, attempted_at, campaign_id, _ = row
    if row_id not in known:
        known[row_id] = Tracked(
            id=row_id,
            message_id=message_id,
            message_key=message_key,
            campaign_id=campaign_id,
            status=Status.parse(word or "pending") or Status.PENDING,
            attempted_at=attempted_at,
        )
    return known[row_id]


def can_be_asked(one: Tracked, now: datetime) -> bool:
    """Return whether Genesys is still asked about a message that owes a status."""
    if one.message_id is None or one.attempted_at is None:
        return False
    return one.attempted_at >= now - POLLED.oldest


def ask_about(connection: Connection, unclear: Sequence[Tracked], now: datetime) -> None:
    """Have Genesys asked at once about messages of which an event tells too little."""
    ids = {one.id for one in unclear if one.status not in FINAL}
    if ids:
        connection.execute(update(messages).where(messages.c.id.in_(ids)).values(ask_at=now))


def save(connection: Connection, moved: Sequence[Tracked]) -> None:
    """Write where the messages stand now."""
    dialect = connection.dialect.name
    rows = [
        {
            "id": one.id,
            "status": one.status.word,
            "status_at": one.status_at and moment(dialect, one.status_at),
            "reason_code": one.reason_code,
        }
        for one in moved
    ]
    if rows:
        connection.execute(_statements(dialect).save, encoded(rows))


class _Statements(NamedTuple):
    by_message: Select[*tuple[Any, ...]]
    by_conversation: Select[*tuple[Any, ...]]
    save: Update


@cache
def _statements(dialect: str) -> _Statements:
    asked = row_set(dialect, {"api_message_id": TEXT})
    talks = row_set(dialect, {"conversation_id": TEXT})
    moved = row_set(
        dialect, {"id": NUMBER, "status": TEXT, "status_at": MOMENT, "reason_code": TEXT}
    )
    found = select(
        messages.c.id,
        messages.c.api_message_id.label("message_id"),
        messages.c.message_key,
        messages.c.status,
        messages.c.attempted_at,
        occurrences.c.campaign_id,
        messages.c.conversation_id,
    ).join(occurrences, occurrences.c.id == messages.c.occurrence_id)
    return _Statements(
        by_message=found.where(messages.c.api_message_id.in_(select(asked.c.api_message_id))),
        by_conversation=found.where(
            IN_CONVERSATION, messages.c.conversation_id.in_(select(talks.c.conversation_id))
        ),
        save=update(messages)
        .where(messages.c.id == moved.c.id)
        .values(
            status=moved.c.status,
            status_at=moved.c.status_at,
            reason_code=func.coalesce(moved.c.reason_code, messages.c.reason_code),
        ),
    )
