"""The gates that all workers share: one row a limit, moved within the transaction that claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger.row_sets import TEXT, encoded, row_set
from genesys_cloud.ledger.tables import rate_gates
from genesys_cloud.outbound import pacing
from genesys_cloud.outbound.pacing import Limit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Instants at which messages may leave; without any, `wait_until` says when to ask again."""

    instants: Sequence[datetime] = ()
    wait_until: datetime | None = None


def reserve(
    connection: Connection, limits: Sequence[Limit], segments: Sequence[int], now: datetime
) -> Slots:
    """Take slots at every limit for the first of some messages, given each one's segments."""
    gates = _lock(connection, limits)
    reserved = pacing.reserve(limits, gates, segments, _micros(now))
    if reserved.gates is None:
        return Slots(wait_until=_instant(reserved.wait_until))
    _move(connection, reserved.gates)
    return Slots(instants=[_instant(slot) for slot in reserved.slots])


def hold_back(connection: Connection, limit: Limit, until: datetime) -> None:
    """Let nobody pass a gate before `until`; a gate that is further already stays there."""
    gates = _lock(connection, [limit])
    _move(connection, {limit.name: max(gates[limit.name], _micros(until))})


def _lock(connection: Connection, limits: Sequence[Limit]) -> dict[str, int]:
    """Take the gates' rows, made where they are missing, until the transaction ends."""
    names = sorted(limit.name for limit in limits)  # one order for everybody: no deadlock
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    query, wanted = _query(connection.dialect.name), encoded([{"name": name} for name in names])
    found = {row.name: row.next_free_us for row in connection.execute(query, wanted)}
    if len(found) < len(names):
        made = [{"name": name, "next_free_us": 0} for name in names]
        connection.execute(dialect.insert(rate_gates).on_conflict_do_nothing(), made)
        found = {row.name: row.next_free_us for row in connection.execute(query, wanted)}
    return found


_MOVE = update(rate_gates).where(rate_gates.c.name == bindparam("b_name"))


@cache
def _query(dialect: str) -> Select[Any]:
    return (
        select(rate_gates.c.name, rate_gates.c.next_free_us)
        .where(rate_gates.c.name.in_(select(row_set(dialect, {"name": TEXT}).c.name)))
        .order_by(rate_gates.c.name)
        .with_for_update()
    )


def _move(connection: Connection, gates: Mapping[str, int]) -> None:
    moved = [{"b_name": name, "next_free_us": after} for name, after in gates.items()]
    connection.execute(_MOVE, moved)


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
