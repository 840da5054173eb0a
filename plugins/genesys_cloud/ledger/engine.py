"""The connections to a ledger's database, and what each of them is told when it begins."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from genesys_cloud.errors import ConnectionSettingsError, LedgerUnavailableError

BUSY_TIMEOUT_S = 60
"""How long a SQLite writer waits for another one before it gives up."""

_POSTGRES = ("postgresql", "postgres")


def engine_at(url: str, patience_s: int | None = None) -> Engine:
    """Return an engine for a ledger's URL, which has not connected yet.

    Raises ConnectionSettingsError for a URL that can't be used.
    """
    try:
        parsed = make_url(connect_url(url))
        arguments: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite":
            _make_folder(parsed.database)
            arguments["connect_args"] = {"timeout": patience_s or BUSY_TIMEOUT_S}
        elif patience_s is not None:
            arguments["connect_args"] = {
                "connect_timeout": patience_s,
                "tcp_user_timeout": patience_s * 1_000,  # a host that has gone silent
                "options": f"-c lock_timeout={patience_s}s -c statement_timeout={patience_s}s",
            }
        # Who can't wait finds out by its own statement that a connection is dead, and has a plan.
        engine = create_engine(
            parsed,
            pool_pre_ping=patience_s is None,
            hide_parameters=True,  # texts and addresses: an error's cause is printed in task logs
            **arguments,
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConnectionSettingsError(
            "The ledger's address is not a database URL that can be used "
            f"({type(error).__name__}). Set the connection genesys_ledger or GENESYS_LEDGER_URL "
            "to sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def connect_url(url: str) -> str:
    """Return the URL with the one PostgreSQL driver that this project is tested with.

    Airflow spells the type of a connection `postgres`, SQLAlchemy and libpq `postgresql`.
    """
    scheme, separator, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    return f"postgresql+psycopg://{rest}" if separator and kind in _POSTGRES else url


def _make_folder(database: str | None) -> None:
    if not database or database == ":memory:":
        raise ConnectionSettingsError(
            "The ledger's address names no file; several processes share the ledger, so it can't "
            "live in memory. Set GENESYS_LEDGER_URL to sqlite:///FILE."
        )
    if database.startswith("file:"):
        return  # SQLite's own kind of address, for whoever knows what it says
    try:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnavailableError(
            f"The folder of the ledger {database} can't be made ({error.strerror}). Give a folder "
            "that this user may write in GENESYS_LEDGER_URL."
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late and is always deferred; `_begin_sqlite` issues ours.
    connection.isolation_level = None
    cursor = connection.cursor()
    _write_ahead(cursor)
    # A send that is recorded must stay recorded through a power cut: FULL syncs every commit.
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Give a file its write-ahead log, one process at a time: SQLite refuses two without a wait."""
    if cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        return
    (_, _, file) = cursor.execute("PRAGMA database_list").fetchone()
    try:
        folder = os.open(Path(file).parent, os.O_RDONLY)  # its lock leaves no file behind
    except OSError as error:
        raise LedgerUnavailableError(
            f"The folder of the ledger {file} can't be read ({error.strerror}). Let this user read "
            "it, or give another folder in GENESYS_LEDGER_URL."
        ) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        cursor.execute("PRAGMA journal_mode=WAL")
    finally:
        os.close(folder)


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads first and writes later fails at once when another writer
    # came between; taking the write lock at the start waits in line instead.
    if connection.get_execution_options().get("ledger_rebuilds", False):
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    writes = connection.get_execution_options().get("ledger_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
