"""Messages whose final status never arrived: those to ask about, and what the answers change.

An answer moves a message by the rule that an event does, and writes the same audit entry. It is no
event, though: nothing is put among the status events, so that the real one counts when it comes.
A failure that the policy names puts the address on the suppression list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select, update

from genesys_cloud.ledger import audit, opt_outs
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import WENT_OUT, messages, occurrences
from genesys_cloud.outbound.asking import EVENTS_LOST, Schedule
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.outbound.messages import State, mask_numbers
from genesys_cloud.outbound.status import FINAL, Status, advance

ACTOR = "reconcile_sends"

HOW = "the API lists it"
"""What the audit entry says of how the status was learnt."""

_BLOCK = 500
"""Messages in one transaction, so that events don't wait for long."""

_LONGEST_CODE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """An accepted message that still owes a status."""

    id: int
    message_id: str
    attempted_at: datetime
    conversation_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What answers changed: messages moved, those listed and still open, those not listed."""

    moved: int
    still_open: int
    not_listed: int


def due(
    ledger: Ledger,
    *,
    now: datetime,
    schedule: Schedule,
    most: int,
    campaign_id: str | None = None,
    newest_first: bool = False,
) -> list[Awaited]:
    """Return messages to ask about now, the oldest or the newest first, at most `most`."""
    query = _open(
        select(
            messages.c.id,
            messages.c.api_message_id,
            messages.c.attempted_at,
            messages.c.conversation_id,
        ),
        now,
        schedule,
        campaign_id,
    )
    never_asked = and_(messages.c.ask_at.is_(None), messages.c.status_at <= now - schedule.first)
    query = query.where(or_(never_asked, messages.c.ask_at <= now))
    order = [messages.c.attempted_at, messages.c.id]
    query = query.order_by(*(one.desc() if newest_first else one for one in order)).limit(most)
    with ledger.read() as connection:
        return [
            Awaited(
                id=row.id,
                message_id=row.api_message_id,
                attempted_at=row.attempted_at,
                conversation_id=row.conversation_id,
            )
            for row in connection.execute(query)
        ]


def next_due(
    ledger: Ledger, *, now: datetime, schedule: Schedule, campaign_id: str | None = None
) -> datetime | None:
    """Return when the next message is to be asked about, None where none owes a status."""
    earliest = _open(
        select(
            func.min(messages.c.ask_at),
            # The first question about the others; no database's own interval is needed for it.
            func.min(messages.c.status_at).filter(messages.c.ask_at.is_(None)),
        ),
        now,
        schedule,
        campaign_id,
    )
    with ledger.read() as connection:
        again, never_asked = connection.execute(earliest).one()
    known = [again] if again else []
    return min([*known, *([never_asked + schedule.first] if never_asked else [])], default=None)


def _open(
    query: Select[Any], now: datetime, schedule: Schedule, campaign_id: str | None
) -> Select[Any]:
    query = query.where(
        WENT_OUT,
        messages.c.state == State.ACCEPTED,
        messages.c.attempted_at >= now - schedule.oldest,
        messages.c.status.not_in([status.word for status in FINAL]),
        messages.c.api_message_id.is_not(None),
    )
    if campaign_id is None:
        return query
    return query.join(occurrences, occurrences.c.id == messages.c.occurrence_id).where(
        occurrences.c.campaign_id == campaign_id
    )


def learn(
    ledger: Ledger,
    asked: Sequence[Awaited],
    listed: Iterable[Delivery],
    *,
    now: datetime,
    schedule: Schedule = EVENTS_LOST,
    actor: str = ACTOR,
) -> Learnt:
    """Move the messages that the API knows better, and note when to ask about the rest again.

    A message that is listed twice ends at the status that is further on, with the reason that is
    listed first. `actor` is who the audit trail says asked.
    """
    answers: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in listed:
        answers[delivery.message_id].append(delivery)
    moved = still_open = 0
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK]
        with ledger.write() as connection:
            audit.lock(connection)
            stands = _stands(connection, block)
            entries = [
                entry
                for one in stands
                for delivery in answers.get(one.message_id, [])
                if (entry := _advance(one, delivery, now, actor)) is not None
            ]
            _save(connection, stands, now=now, schedule=schedule)
            audit.append(connection, entries)
            failed = {
                one.id: rule for one in stands if (rule := ledger.failures.rule(one.error_code))
            }
            opt_outs.recipients_failed(connection, failed, actor=actor, now=now)
        moved += sum(one.moved for one in stands)
        still_open += sum(one.message_id in answers and not one.final for one in stands)
    return Learnt(
        moved=moved,
        still_open=still_open,
        not_listed=sum(one.message_id not in answers for one in asked),
    )


def put_off(ledger: Ledger, awaited: Iterable[Awaited], *, until: datetime) -> None:
    """Ask about messages no sooner than `until`, whatever their status is."""
    with ledger.write() as connection:
        audit.lock(connection)  # or this and an event could wait for each other's messages
        _update(connection, [{"b_id": one.id, "ask_at": until} for one in awaited])


@dataclass(kw_only=True)
class _Stand:
    """Where a message stands while a transaction moves it."""

    id: int
    message_id: str
    message_key: str
    campaign_id: str
    status: Status
    status_at: datetime
    reason_known: bool
    moved: bool = False
    error_code: str | None = None

    @property
    def final(self) -> bool:
        """Whether no later status is owed."""
        return self.status in FINAL


def _stands(connection: Connection, block: Sequence[Awaited]) -> list[_Stand]:
    """Read the messages again, for events may have come since they were found."""
    rows = connection.execute(
        select(messages, occurrences.c.campaign_id)
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .where(
            messages.c.id.in_([one.id for one in block]),
            messages.c.state == State.ACCEPTED,
            messages.c.api_message_id.is_not(None),
        )
    )
    return [
        _Stand(
            id=row.id,
            message_id=row.api_message_id,
            message_key=row.message_key,
            campaign_id=row.campaign_id,
            status=Status.parse(row.status or "pending") or Status.PENDING,
            status_at=row.status_at or row.attempted_at,
            reason_known=row.reason_code is not None,
        )
        for row in rows
    ]


def _advance(one: _Stand, delivery: Delivery, now: datetime, actor: str) -> AuditEntry | None:
    status = Status.parse(delivery.status)
    if status is None:
        return None
    step = advance(one.status, status)
    # An event says that a message failed and not why, so that the reason may still be wanted.
    reason_missing = not (one.reason_known or one.error_code)
    if status is Status.FAILED and (step.moved or reason_missing):
        one.error_code = mask_numbers(delivery.error_code or "") or None  # providers quote numbers
    if not step.moved:
        return None
    previous, one.status, one.moved = one.status, status, True
    one.status_at = min(delivery.reached_at(status) or now, now)
    return AuditEntry(
        at=now,
        actor=actor,
        action="status.changed",
        campaign_id=one.campaign_id,
        message_key=one.message_key,
        message_id=one.message_id,
        previous_status=previous.word,
        new_status=one.status.word,
        details={"how": HOW}
        | ({"contradiction": True} if step.contradiction else {})
        | ({"reason": one.error_code} if one.error_code else {}),
    )


def _save(
    connection: Connection, stands: Sequence[_Stand], *, now: datetime, schedule: Schedule
) -> None:
    _update(
        connection,
        [
            {
                "b_id": one.id,
                "ask_at": None if one.final else schedule.next_ask(now, one.status_at),
            }
            for one in stands
        ],
    )
    _update(
        connection,
        [
            {"b_id": one.id, "status": one.status.word, "status_at": one.status_at}
            for one in stands
            if one.moved
        ],
    )
    _update(
        connection,
        [
            {"b_id": one.id, "reason_code": one.error_code[:_LONGEST_CODE]}
            for one in stands
            if one.error_code
        ],
    )


def _update(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        names = [name for name in rows[0] if name != "b_id"]
        connection.execute(
            update(messages)
            .where(messages.c.id == bindparam("b_id"))
            .values({name: bindparam(name) for name in names}),
            rows,
        )
