"""What a database keeps of rows that are gone: old bytes, until its files are written anew.

SQLite leaves deleted bytes in free pages and in the write-ahead log, PostgreSQL in dead rows and in
what it remembers of a column's common values. Rewriting destroys those. It can't reach what lies
outside the database: PostgreSQL's own write-ahead log and its archive, replicas, backups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.ledger.database import Ledger

LOCK_TIMEOUT = "30s"
"""How long a rewrite waits for PostgreSQL's tables; senders wait behind it as long."""

_PERSONAL = (
    "messages", "status_events", "consents", "suppressions", "people", "campaigns",
    "preview_samples",
)  # fmt: skip
_UNREMOVABLE = re.compile(r"[1-9][0-9]* dead row versions cannot be removed yet")


def rewrite(ledger: Ledger) -> list[str]:
    """Write the database's files anew, and return a sentence for each remnant that it had to leave.

    SQLite needs free disk for a second copy, and writers wait; PostgreSQL locks one table after the
    other. Raises LedgerUnavailableError where somebody else holds the database for too long.
    """
    if ledger.engine.dialect.name == "sqlite":
        return _rewrite_sqlite(ledger)
    return _rewrite_postgresql(ledger)


def sweep(ledger: Ledger) -> None:
    """Empty SQLite's write-ahead log without waiting for anybody; PostgreSQL sweeps by itself."""
    if ledger.engine.dialect.name == "sqlite":
        with _autocommit(ledger) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _rewrite_sqlite(ledger: Ledger) -> list[str]:
    with _autocommit(ledger) as connection:
        connection.execute("VACUUM")
        ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if not busy:
        return []
    return [
        "Somebody was reading the ledger all the while, so its write-ahead log still holds old "
        "bytes. Run the same command again."
    ]


def _rewrite_postgresql(ledger: Ledger) -> list[str]:
    left: list[str] = []
    with _autocommit(ledger) as connection:
        connection.add_notice_handler(lambda notice: left.extend(_remnants(notice)))
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        for table in _PERSONAL:
            connection.execute(f"VACUUM (FULL, VERBOSE, ANALYZE) {table}")
        # Statistics quote the most common values of a column, and the bounds of its histogram.
        connection.execute("VACUUM (FULL) pg_catalog.pg_statistic")
        left += _checkpoint(connection)
    return list(dict.fromkeys(left))


def _checkpoint(connection: Any) -> list[str]:
    """Let PostgreSQL delete the files that the rewrite replaced."""
    try:
        connection.execute("CHECKPOINT")
    except Exception as error:
        if getattr(error, "sqlstate", None) != "42501":  # not the right to: only that is no harm
            raise
        return ["The files that were replaced go with PostgreSQL's next checkpoint (minutes)."]
    return []


def _remnants(notice: Any) -> Iterator[str]:
    """Yield what PostgreSQL says it could not remove."""
    said = f"{notice.message_primary or ''} {notice.message_detail or ''}"
    if _UNREMOVABLE.search(said):
        yield (
            "A transaction that was open before the erasure keeps old rows readable for itself. "
            "End it, and run the same command again."
        )
    if "permission denied to vacuum" in said:
        yield (
            "This database user may not rewrite every table, so old bytes are left: "
            f"{notice.message_primary}. Run the same command as the database's owner."
        )


@contextmanager
def _autocommit(ledger: Ledger) -> Iterator[Any]:
    """Lend a connection of the driver's own, on which no transaction is open."""
    pooled = ledger.engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        if ledger.engine.dialect.name == "postgresql":
            connection.autocommit = True
        yield connection
    except ledger.engine.dialect.loaded_dbapi.Error as error:
        cause = str(error).strip().splitlines()[0][:200]
        raise LedgerUnavailableError(
            f"The ledger {ledger.name} could not be written anew ({cause}). The rows are erased, "
            "but old bytes may be left in its files: run the same command again in a quiet hour."
        ) from error
    finally:
        pooled.invalidate()  # it goes back to nobody: its settings are not what others expect
        pooled.close()
