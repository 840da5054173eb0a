"""Status events: each counted once, in order, and kept until its message is known.

An event may name a conversation only. Where that holds one message of ours it is the message's;
where it holds several nobody can say whose it is, and Genesys is asked. Genesys is asked too where
a message failed for no reason that the failure policy knows: its details may say that the person
opted out. Choices that people make by one word are counted here as well, for they come the same way
and may come twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Insert, Select, bindparam, func, insert, select, update

from genesys_cloud.ledger import audit, event_targets, opt_outs
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.event_targets import Tracked
from genesys_cloud.ledger.row_sets import MOMENT, TEXT, encoded, moment, row_set
from genesys_cloud.ledger.tables import PARKED, status_events
from genesys_cloud.outbound.deliveries import CLOCKS_APART
from genesys_cloud.outbound.failure_policy import FailurePolicy
from genesys_cloud.outbound.opt_outs import Arrival, Choice, Verdict
from genesys_cloud.outbound.status import FINAL, Status, StatusEvent, advance, conversation_of

ACTOR = "webhook"


class Effect(StrEnum):
    """What an event did."""

    APPLIED = "applied"  # the message moved
    STALE = "stale"  # the message was there already, or further
    PARKED = "parked"  # the message is not in the ledger yet
    UNKNOWN_STATUS = "unknown_status"  # a word that this vocabulary lacks
    DUPLICATE = "duplicate"  # the event had come before
    AMBIGUOUS = "ambiguous"  # whose it is, or why it failed, is not said; Genesys is asked
    IGNORED = "ignored"  # a START where the person's own word had stopped nothing


def apply(ledger: Ledger, arrived: Sequence[Arrival], now: datetime) -> list[Effect]:
    """Count the events in one transaction, and return what each did, in their order."""
    with ledger.write() as connection:
        # Whoever counts events holds this lock, so what is not known now comes from nobody else.
        audit.lock(connection)
        seen = _known(connection, [event.event_id for event in arrived])
        new: list[Arrival] = []
        is_new: list[bool] = []
        for event in arrived:
            is_new.append(event.event_id not in seen)
            if is_new[-1]:
                seen.add(event.event_id)
                new.append(event)
        effects = _count(connection, new, now, ledger.failures)
        _keep(connection, new, effects, now)
        found = iter(effects)
        return [next(found) if fresh else Effect.DUPLICATE for fresh in is_new]


def parked(ledger: Ledger) -> int:
    """Return how many events wait for their message to be recorded."""
    with ledger.read() as connection:
        waiting = select(func.count()).select_from(status_events).where(PARKED)
        return connection.execute(waiting).scalar_one()


def apply_parked(
    connection: Connection, message_ids: Iterable[str], failures: FailurePolicy
) -> None:
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
            reason_code=row.reason_code,
        )
        for row in rows
    ]
    now = max((row.received_at for row in rows), default=None)
    if now is not None:
        _note(connection, parked, _move(connection, parked, now, failures))


def _count(
    connection: Connection, new: Sequence[Arrival], now: datetime, failures: FailurePolicy
) -> list[Effect]:
    moves = [one for one in new if isinstance(one, StatusEvent)]
    moved = _move(connection, moves, now, failures)
    if len(moves) == len(new):
        return moved
    found = iter(moved)
    return [
        _decide(connection, one, now) if isinstance(one, Choice) else next(found) for one in new
    ]


def _decide(connection: Connection, choice: Choice, now: datetime) -> Effect:
    """Stop, or let again, what goes to a person."""
    if choice.verdict is Verdict.OPT_OUT:
        opt_outs.opt_out(connection, choice, actor=ACTOR, now=now)
        return Effect.APPLIED
    lifted = opt_outs.opt_in(connection, choice, actor=ACTOR, now=now)
    return Effect.APPLIED if lifted else Effect.IGNORED


def _known(connection: Connection, event_ids: Sequence[str]) -> set[str]:
    if not event_ids:
        return set()
    rows = encoded([{"event_id": event_id} for event_id in event_ids])
    return set(connection.execute(_statements(connection.dialect.name).known, rows).scalars())


def _keep(
    connection: Connection, new: Sequence[Arrival], effects: Sequence[Effect], now: datetime
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
            "reason_code": event.reason_code if isinstance(event, StatusEvent) else None,
        }
        for event, effect in zip(new, effects, strict=True)
    ]
    if rows:
        connection.execute(_statements(dialect).keep, encoded(rows))


def _move(
    connection: Connection, new: Sequence[StatusEvent], now: datetime, failures: FailurePolicy
) -> list[Effect]:
    """Move each event's message, write the audit entries, and return each event's effect."""
    if not new:
        return []
    tracked = event_targets.find(connection, {event.message_id for event in new})
    effects: list[Effect] = []
    entries: list[AuditEntry] = []
    unclear: list[Tracked] = []
    for event in new:
        status = Status.parse(event.status)
        known = tracked.get(event.message_id, [])
        targets = [one for one in known if not _earlier(event, one)]
        if status is None:
            effects.append(Effect.UNKNOWN_STATUS)
        elif not known:
            effects.append(Effect.PARKED)
        elif _is_unclear(event, status, targets, now, failures):
            effects.append(Effect.AMBIGUOUS)
            unclear += targets
        else:
            moves = [_advance(one, event, status, now) for one in targets]
            entries += [entry for entry in moves if entry is not None]
            effects.append(Effect.APPLIED if any(moves) else Effect.STALE)
    moved = {one.id: one for many in tracked.values() for one in many if one.moved}
    event_targets.save(connection, list(moved.values()))
    audit.append(connection, entries)
    event_targets.ask_about(connection, unclear, now)
    failed = {one.id: rule for one in moved.values() if (rule := failures.rule(one.reason_code))}
    opt_outs.recipients_failed(connection, failed, actor=ACTOR, now=now)
    return effects


def _earlier(event: StatusEvent, one: Tracked) -> bool:
    """Return whether a conversation's event is older than the send, thus about another message."""
    if one.attempted_at is None or conversation_of(event.message_id) is None:
        return False
    return event.occurred_at < one.attempted_at - CLOCKS_APART


def _is_unclear(
    event: StatusEvent,
    status: Status,
    targets: Sequence[Tracked],
    now: datetime,
    failures: FailurePolicy,
) -> bool:
    """Return whether Genesys must say whose an event is, or why the message failed."""
    if conversation_of(event.message_id) is None or not targets:
        return False
    if len(targets) > 1:
        return True
    (one,) = targets
    if status is not Status.FAILED or failures.rule(event.reason_code):
        return False
    return one.status not in FINAL and event_targets.can_be_asked(one, now)


def _advance(one: Tracked, event: StatusEvent, status: Status, now: datetime) -> AuditEntry | None:
    step = advance(one.status, status)
    if not step.moved:
        return None
    previous, one.status, one.moved = one.status, status, True
    one.status_at = min(event.occurred_at, now)
    one.reason_code = event.reason_code
    entry = AuditEntry(
        at=event.occurred_at,
        actor=ACTOR,
        action="status.changed",
        campaign_id=one.campaign_id,
        message_key=one.message_key,
        message_id=one.message_id,
        previous_status=previous.word,
        new_status=status.word,
        event_id=event.event_id,
        details={"contradiction": True} if step.contradiction else {},
    )
    if event.reason_code is None:
        return entry
    return replace(entry, details={**entry.details, "reason": event.reason_code})


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
    keep: Insert


@cache
def _statements(dialect: str) -> _Statements:
    ids = row_set(dialect, {"event_id": TEXT})
    kept = row_set(
        dialect,
        dict.fromkeys(("event_id", "api_message_id", "status"), TEXT)
        | dict.fromkeys(("occurred_at", "received_at"), MOMENT)
        | {"outcome": TEXT, "reason_code": TEXT},
    )
    return _Statements(
        known=select(status_events.c.event_id).where(
            status_events.c.event_id.in_(select(ids.c.event_id))
        ),
        keep=insert(status_events).from_select(list(kept.c.keys()), select(*kept.c)),
    )
