"""Counts of messages, which triggers of the database keep whatever changes a message.

On PostgreSQL each transaction counts in rows of its own, its slot, and nobody waits for another;
`fold` adds up those of finished ones. On SQLite there is one writer at a time, and nothing to fold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    any_,
    delete,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.funnel import Count
from genesys_cloud.ledger.page_tables import message_counts, sends_per_minute
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.messages import IN_FLIGHT, State

MOST_FOLDED = 100_000
"""How many rows are folded in one transaction: a page waits for it, and not for long."""

MANY = 2_000
"""How many rows a reader adds up before it has them folded for the next."""

_FOLDING = 7_203_418
"""The number of the advisory lock of whoever folds."""


def fold(ledger: Ledger) -> None:
    """Add up what finished transactions have counted, or much of it, unless somebody else does."""
    if ledger.engine.dialect.name == "sqlite":
        return
    with ledger.write() as connection:
        if connection.execute(select(func.pg_try_advisory_xact_lock(_FOLDING))).scalar_one():
            for table in (message_counts, sends_per_minute):
                _fold(connection, table)


def fold_many(ledger: Ledger) -> None:
    """Fold where so many transactions have counted that adding them up would slow a page down."""
    if ledger.engine.dialect.name == "sqlite":
        return
    some = select(literal(1)).where(message_counts.c.slot != 0).limit(MANY).subquery()
    with ledger.read() as connection:
        found = connection.execute(select(func.count()).select_from(some)).scalar_one()
    if found == MANY:
        fold(ledger)


def of_occurrences(connection: Connection, ids: Collection[int]) -> Mapping[int, list[Count]]:
    """Return how many messages of each occurrence are where, by the occurrence's id."""
    own: Any = message_counts.c.occurrence_id
    query = select(own, *_PLACE, _TOTAL).where(own.in_(ids))
    found: dict[int, list[Count]] = defaultdict(list)
    for occurrence_id, *place, total in connection.execute(_summed(query, own)):
        found[occurrence_id].append(Count._make([*place, int(total)]))
    return found


def of_campaigns(
    connection: Connection, campaign_ids: Collection[str], visible: ColumnElement[bool]
) -> Mapping[tuple[str, bool], list[Count]]:
    """Return how many messages of each campaign are where, by its id and whether it is a test."""
    own: tuple[Any, ...] = (occurrences.c.campaign_id, occurrences.c.is_test)
    query = (
        select(*own, *_PLACE, _TOTAL)
        .join(occurrences, occurrences.c.id == message_counts.c.occurrence_id)
        .where(own[0].in_(campaign_ids), visible)
    )
    found: dict[tuple[str, bool], list[Count]] = defaultdict(list)
    for campaign_id, is_test, *place, total in connection.execute(_summed(query, *own)):
        found[campaign_id, is_test].append(Count._make([*place, int(total)]))
    return found


def with_in_flight(
    connection: Connection, chosen: ColumnElement[bool]
) -> Mapping[bool, list[Count]]:
    """Return how many messages of some occurrences are where, by whether these are tests.

    Those in a worker's hands are told apart from the planned.
    """
    is_test = occurrences.c.is_test
    own = message_counts.c.occurrence_id == occurrences.c.id
    counted = select(is_test, *_PLACE, _TOTAL).join(occurrences, own).where(chosen)
    found: dict[bool, Counter[tuple[str, str, str]]] = {False: Counter(), True: Counter()}
    # One statement, so that no message is seen in both as it moves.
    both = union_all(_summed(counted, is_test), _flying(chosen))
    for test, state, code, word, number in connection.execute(both):
        found[test][state, code, word] += int(number)
        if state in IN_FLIGHT:
            found[test][State.PLANNED, code, word] -= int(number)
    return {
        test: [Count(*where, number) for where, number in counter.items()]
        for test, counter in found.items()
    }


def in_flight(
    connection: Connection, campaign_ids: Collection[str], visible: ColumnElement[bool]
) -> Mapping[str, int]:
    """Return how many messages of each campaign workers have in hand, tests left out."""
    # Only where any is left: those in hand are counted as planned.
    own: Any = occurrences.c.campaign_id
    left = (
        select(occurrences.c.id, own)
        .join(message_counts, message_counts.c.occurrence_id == occurrences.c.id)
        .where(
            own.in_(campaign_ids),
            visible,
            ~occurrences.c.is_test,
            message_counts.c.state == State.PLANNED,
        )
        .group_by(occurrences.c.id, own)
        .having(_TOTAL > 0)
    )
    campaign_of: dict[int, str] = dict(connection.execute(left).all())
    query = (
        select(messages.c.occurrence_id, func.count())
        .where(messages.c.occurrence_id.in_(campaign_of), messages.c.state.in_(IN_FLIGHT))
        .group_by(messages.c.occurrence_id)
    )
    found: Counter[str] = Counter()
    for occurrence_id, number in connection.execute(query):
        found[campaign_of[occurrence_id]] += number
    return found


def _flying(chosen: ColumnElement[bool]) -> Select[Any]:
    """Select how many messages of some occurrences workers have in hand, by place."""
    code, word = (func.coalesce(messages.c[name], "") for name in ("reason_code", "status"))
    place = (occurrences.c.is_test, messages.c.state, code, word)
    return (
        select(*place, func.count())
        .join(occurrences, messages.c.occurrence_id == occurrences.c.id)
        .where(chosen, messages.c.state.in_(IN_FLIGHT))
        .group_by(*place)
    )


_PLACE: tuple[Any, ...] = (
    message_counts.c.state,
    message_counts.c.reason_code,
    message_counts.c.status,
)
_TOTAL = func.sum(message_counts.c.messages)


def _summed(query: Select[Any], *own: Any) -> Select[Any]:
    return query.group_by(*own, *_PLACE).having(_TOTAL != 0)


def _fold(connection: Connection, table: Table) -> None:
    """Move a table's finished slots into slot 0."""
    kept = [column for column in table.primary_key if column.name != "slot"]
    place: Any = literal_column("ctid")
    some = select(place).select_from(table).where(table.c.slot != 0).limit(MOST_FOLDED)
    chosen = delete(table).where(place == any_(func.array(some.scalar_subquery())))
    gone = chosen.returning(*kept, table.c.messages).cte("gone")
    total = func.sum(gone.c.messages)
    names = [column.name for column in kept]
    summed: Any = select(*(gone.c[name] for name in names), literal(0), total)
    summed = summed.group_by(*(gone.c[name] for name in names)).having(total != 0)
    added = insert(table).from_select([*names, "slot", "messages"], summed)
    added = added.on_conflict_do_update(
        index_elements=[*names, "slot"],
        set_={"messages": table.c.messages + added.excluded.messages},
    )
    connection.execute(added)
