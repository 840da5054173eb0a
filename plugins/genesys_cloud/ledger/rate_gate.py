"""The gates that all workers share: one row a limit, moved by one statement a reservation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Connection, case, literal
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger.tables import rate_gates
from genesys_cloud.outbound.pacing import Limit, slots

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def reserve(
    connection: Connection, limits: Sequence[Limit], count: int, now: datetime
) -> list[datetime]:
    """Take `count` slots at every limit, and return the instants at which all of them allow one."""
    now_us = _micros(now)
    firsts = []
    for limit in sorted(limits, key=lambda limit: limit.name):  # one order: no deadlock
        width = count * limit.interval_us
        after = _move(connection, limit.name, now_us, width)
        firsts.append((after - width, limit))
    return [_EPOCH + timedelta(microseconds=slot) for slot in slots(firsts, count)]


def hold_back(connection: Connection, name: str, until: datetime) -> None:
    """Let nobody pass the gate before `until`; a gate that is further already stays there."""
    _move(connection, name, _micros(until), 0)


def _move(connection: Connection, name: str, earliest_us: int, width: int) -> int:
    """Set the gate to max(where it is, earliest) + width, and return where it then stands."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(rate_gates).values(name=name, next_free_us=earliest_us + width)
    earliest = literal(earliest_us, BigInteger)
    later = case((rate_gates.c.next_free_us > earliest, rate_gates.c.next_free_us), else_=earliest)
    moved = insert.on_conflict_do_update(
        index_elements=["name"], set_={"next_free_us": later + width}
    ).returning(rate_gates.c.next_free_us)
    return int(connection.execute(moved).scalar_one())


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
