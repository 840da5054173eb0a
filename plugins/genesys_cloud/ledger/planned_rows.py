"""Writes what a plan says of its recipients, a batch at a time and as fast as the driver can.

A million rows go through here: a parameter that SQLAlchemy binds row by row costs more than the
database's own work on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from genesys_cloud.ledger.row_sets import moment
from genesys_cloud.outbound.messages import State


class PlannedMessage(NamedTuple):
    """One recipient as planning left it: ready to go, held until its window opens, or blocked.

    `address_key` is None where the row has no usable address or repeats another row's. A tuple,
    for the driver takes it as it is, and worker processes hand it over in no time. The last field,
    the number's country, is for the preview alone and is not kept.
    """

    message_key: str
    address_key: str | None
    row_number: int
    recipient_id: str
    address: str
    language: str
    text: str
    text_digest: str
    segments: int | None
    state: State
    reason_code: str | None = None
    reason: str | None = None
    consent_proof: str | None = None
    consent_expires_at: datetime | None = None
    place: str | None = None
    held_until: datetime | None = None
    country: str | None = None


_NAMES = ("occurrence_id", "plan_no", "fence", "attempts", *PlannedMessage._fields[:-1])
_COLUMNS = ", ".join(_NAMES)
_INSERT = f"INSERT INTO messages ({_COLUMNS}) VALUES ({{}}) ON CONFLICT DO NOTHING"  # noqa: S608 - no input
_ROOM = ("PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 16384")
"""64 MB for pages, and for the log before it is merged: keys are random, so that every batch
touches pages all over the indexes, which would be written and read again and again."""

_LAST = "SELECT coalesce(max(id), 0) FROM messages"
_COUNT = """
INSERT INTO message_counts (occurrence_id, state, reason_code, status, slot, messages)
SELECT occurrence_id, state, coalesce(reason_code, ''), coalesce(status, ''), 0, count(*)
FROM messages WHERE id > ? GROUP BY 1, 2, 3, 4
ON CONFLICT (occurrence_id, state, reason_code, status, slot)
DO UPDATE SET messages = messages + excluded.messages
"""
_COPY = f"COPY messages ({_COLUMNS}) FROM STDIN"
_STATE = _NAMES.index("state")
_MOMENTS = tuple(_NAMES.index(name) for name in ("consent_expires_at", "held_until"))


def as_columns(occurrence_id: int, plan_no: int, one: PlannedMessage) -> dict[str, Any]:
    """Return a recipient as a row of the table, by column."""
    return dict(zip(_NAMES, (occurrence_id, plan_no, 0, 0, *one[:-1]), strict=True))


def insert(
    connection: Connection, occurrence_id: int, plan_no: int, planned: Sequence[PlannedMessage]
) -> None:
    """Write recipients who have no row yet; of one whom another run wrote meanwhile, that stays."""
    if connection.dialect.name == "sqlite":
        _insert_in_sqlite(
            connection, [_as_sqlite(_row(occurrence_id, plan_no, one)) for one in planned]
        )
    elif not _copied(connection, (_row(occurrence_id, plan_no, one) for one in planned)):
        rows = [_row(occurrence_id, plan_no, one) for one in planned]
        connection.exec_driver_sql(_INSERT.format(", ".join(["%s"] * len(_NAMES))), rows)


def _insert_in_sqlite(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """Write the rows and count them; on PostgreSQL a trigger counts, once for all of them."""
    for pragma in _ROOM:
        connection.exec_driver_sql(pragma)
    last = connection.exec_driver_sql(_LAST).scalar_one()
    connection.exec_driver_sql(_INSERT.format(", ".join(["?"] * len(_NAMES))), rows)
    connection.exec_driver_sql(_COUNT, (last,))


def _row(occurrence_id: int, plan_no: int, one: PlannedMessage) -> tuple[Any, ...]:
    row = [occurrence_id, plan_no, 0, 0, *one[:-1]]
    row[_STATE] = one.state.value  # drivers take a plain word faster than an enum's
    return tuple(row)


def _as_sqlite(row: tuple[Any, ...]) -> tuple[Any, ...]:
    if all(row[place] is None for place in _MOMENTS):
        return row
    texts = {place: moment("sqlite", row[place]) for place in _MOMENTS if row[place] is not None}
    return tuple(texts.get(place, value) for place, value in enumerate(row))


def _copied(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> bool:
    """Copy the rows to PostgreSQL, and return False where one of them was there already.

    COPY takes a fifth of what INSERT takes and knows no ON CONFLICT. Nearly always nobody else
    plans the same occurrence; then the rows go in at once, or none of them.
    """
    library: Any = connection.dialect.loaded_dbapi
    driver: Any = connection.connection.driver_connection
    # Before anything of the driver's own: it would commit a transaction that has not begun.
    savepoint = connection.begin_nested()
    try:
        with driver.cursor().copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)
    except library.IntegrityError:
        savepoint.rollback()
        return False
    except library.OperationalError as error:
        # As SQLAlchemy says it, so that it is told like any other loss of the ledger.
        raise OperationalError(_COPY, None, error) from error
    savepoint.commit()
    return True
