"""The story of one message, from its plan to its last status event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from genesys_cloud.ledger import message_trail
from genesys_cloud.ledger.message_trail import AuditFact
from genesys_cloud.ledger.overview import DEFAULT_DAG
from genesys_cloud.ledger.tables import status_events
from genesys_cloud.outbound.messages import State, mask_address, mask_numbers
from genesys_cloud.outbound.status import about_conversation
from genesys_cloud.outbound.verdicts import Standing, verdict

SEARCHED = 3
"""Of how many messages at once the entries about many are searched."""


@dataclass(frozen=True, kw_only=True)
class EventFact:
    """A status event and what it did."""

    status: str
    occurred_at: datetime
    received_at: datetime
    outcome: str
    reason_code: str | None


@dataclass(frozen=True, kw_only=True)
class MessageStory:
    """One message from its plan to its last event.

    `sentence` says what became of it, and why. `consent_proof` is what the audience said of the
    consent besides the yes. `text` is None where nobody asked for it or it was destroyed.
    `gaps` say which audit entries can't be found any more.
    """

    message_key: str
    campaign_id: str
    campaign_state: str
    occurrence: str
    dag_id: str
    run_id: str | None
    is_test: bool
    channel: str
    sender: str
    profile: str
    masked_address: str
    language: str
    row_number: int
    template: str
    template_version: str
    segments: int | None
    state: str
    status: str | None
    sentence: str
    reason_code: str | None
    reason: str | None = field(repr=False)
    purpose: str
    consent_from: str
    consent_proof: str | None = field(repr=False)
    consent_expires_at: datetime | None
    attempts: int
    planned_at: datetime
    held_until: datetime | None
    deadline: datetime | None
    attempted_at: datetime | None
    settled_at: datetime | None
    status_at: datetime | None
    erased_at: datetime | None
    api_message_id: str | None
    conversation_id: str | None
    correlation_id: str | None
    text: str | None = field(repr=False)
    events: Sequence[EventFact]
    entries: Sequence[AuditFact]
    gaps: Sequence[str]


def tell(
    connection: Connection, rows: Sequence[Any], *, now: datetime, with_text: bool
) -> list[MessageStory]:
    """Return the stories of messages, which come with their occurrence's and campaign's columns."""
    events = _events(connection, rows)
    return [
        _story(
            row,
            events[row.id],
            _trail(connection, row, events[row.id], search=len(rows) <= SEARCHED),
            now=now,
            with_text=with_text,
        )
        for row in rows
    ]


def _events(connection: Connection, rows: Sequence[Any]) -> Mapping[int, list[EventFact]]:
    """Return the status events of messages in the order in which they happened, by row id."""
    named: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.api_message_id:
            named[row.api_message_id].append(row.id)
        if row.conversation_id:
            named[about_conversation(row.conversation_id)].append(row.id)
    query = (
        select(status_events)
        .where(status_events.c.api_message_id.in_(named))
        .order_by(status_events.c.occurred_at, status_events.c.id)
    )
    found: dict[int, list[EventFact]] = defaultdict(list)
    for event in connection.execute(query):
        fact = EventFact(**{name: getattr(event, name) for name in EventFact.__dataclass_fields__})
        for row_id in named[event.api_message_id]:
            found[row_id].append(fact)
    return found


def _trail(
    connection: Connection, row: Any, events: Sequence[EventFact], *, search: bool
) -> tuple[list[AuditFact], list[str]]:
    changed = [row.attempted_at, row.settled_at, row.status_at]
    moments = [*(at for at in changed if at is not None), *(one.occurred_at for one in events)]
    facts = message_trail.own_entries(connection, row, moments)
    if not search:
        return facts, [
            "Entries about many messages at once, such as those of the plan, are looked for where "
            "fewer messages are asked for: by a message's key."
        ]
    instants = [row.planned_at, *(at for at in changed[:2] if at is not None)]
    bulk, gaps = message_trail.bulk_entries(connection, row, instants)
    if row.plan_no_of_occurrence > 1:
        gaps.append(
            f"The occurrence was planned {row.plan_no_of_occurrence} times; the entries about many "
            "messages of earlier plans are not looked for."
        )
    if row.attempts > 1:
        gaps.append("Of its attempts, the entries about many messages of the last one are shown.")
    return sorted([*facts, *bulk], key=lambda one: one.seq), gaps


def _story(
    row: Any,
    events: Sequence[EventFact],
    trail: tuple[Sequence[AuditFact], Sequence[str]],
    *,
    now: datetime,
    with_text: bool,
) -> MessageStory:
    standing = Standing(
        state=State(row.state),
        now=now,
        **{
            name: getattr(row, name)
            for name in Standing.__dataclass_fields__
            if name not in {"state", "now"}
        },
    )
    told: dict[str, Any] = {name: getattr(row, name) for name in _TOLD}
    told |= {name: getattr(row, name) and mask_numbers(getattr(row, name)) for name in _TYPED}
    return MessageStory(
        **told,
        dag_id=row.dag_id or DEFAULT_DAG,
        masked_address=mask_address(row.address),
        sentence=verdict(standing),
        text=row.text or None if with_text else None,
        events=events,
        entries=trail[0],
        gaps=trail[1],
    )


_TYPED = ("reason", "consent_proof")
"""Fields in which somebody may have quoted a number."""

_TOLD = frozenset(MessageStory.__dataclass_fields__) - {
    "dag_id", "masked_address", "sentence", "text", "events", "entries", "gaps", *_TYPED,
}  # fmt: skip
