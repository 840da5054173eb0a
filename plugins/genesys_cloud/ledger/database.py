"""The ledger database: how it is opened, and that its schema is the one this code knows."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from genesys_cloud.errors import (
    ConnectionSettingsError,
    LedgerSchemaError,
    LedgerUnavailableError,
)
from genesys_cloud.outbound.failure_policy import OPTED_OUT_ALONE, FailurePolicy

SCHEMA_REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every revision that this code knows, oldest first; a test holds it against migrations/."""

_POSTGRES = ("postgresql", "postgres")

BUSY_TIMEOUT_S = 60
"""How long a SQLite writer waits for another one before it gives up."""


class Ledger:
    """An open ledger; each `read` or `write` block is one transaction.

    `failures` says which failures that are recorded suppress their recipients.
    """

    def __init__(self, engine: Engine, failures: FailurePolicy = OPTED_OUT_ALONE) -> None:
        self.engine = engine
        self.failures = failures
        self._writer = engine.execution_options(ledger_writes=True)

    @property
    def name(self) -> str:
        """The database's URL without its password, for messages."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run a transaction that writes; on SQLite it holds the one write lock from its start."""
        with self._transaction(self._writer) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run a transaction that only reads."""
        with self._transaction(self.engine) as connection:
            yield connection

    @contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """Run a transaction that may make tables anew, and leaves no row without its parent.

        SQLite changes a column by making its table anew, and does not drop one that others refer to
        unless foreign keys are off, which a transaction can't switch.
        """
        if self.engine.dialect.name != "sqlite":
            with self.write() as connection:
                yield connection
            return
        self.close()
        with self._transaction(self._writer.execution_options(ledger_rebuilds=True)) as connection:
            yield connection
            if orphans := connection.execute(text("PRAGMA foreign_key_check")).all():
                raise LedgerSchemaError(
                    f"The ledger {self.name} was not upgraded: {len(orphans)} rows refer to others "
                    f"that are not there, the first in {orphans[0][0]}. Restore a backup, or ask "
                    "for help with this sentence."
                )
        self.close()  # the next connections keep foreign keys again

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise LedgerUnavailableError(
                    f"The ledger {self.name} does not answer ({_cause(error)}). Nothing of this "
                    "step was written; start the database again and repeat the step."
                ) from error
            raise


def open_ledger(
    url: str, *, patience_s: int | None = None, failures: FailurePolicy = OPTED_OUT_ALONE
) -> Ledger:
    """Open the ledger at a SQLAlchemy URL; an empty database gets the schema, any other must match.

    `patience_s` is for who can't wait: how long to wait for a lock, a connection or an answer.

    Raises ConnectionSettingsError for a URL that can't be used, LedgerUnavailableError where no
    database answers, LedgerSchemaError where the schema is older or newer than this code.
    """
    ledger = Ledger(_engine(url, patience_s), failures)
    try:
        if _revision(ledger) is None:
            upgrade(ledger)
        check_schema(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def is_new(url: str, *, patience_s: int | None = None) -> bool:
    """Return whether the ledger at a URL has no schema yet; makes neither that nor a file."""
    with suppress(ArgumentError):  # the engine says what is wrong with it
        parsed = make_url(connect_url(url))
        file = parsed.database if parsed.get_backend_name() == "sqlite" else None
        if file and not file.startswith("file:") and not Path(file).exists():
            return True
    ledger = Ledger(_engine(url, patience_s))
    try:
        return _revision(ledger) is None
    finally:
        ledger.close()


def check_schema(ledger: Ledger) -> None:
    """Raise LedgerSchemaError unless the ledger's schema is the newest that this code knows."""
    revision = _revision(ledger)
    if revision == SCHEMA_REVISIONS[-1]:
        return
    if revision in SCHEMA_REVISIONS:
        raise LedgerSchemaError(
            f"The ledger {ledger.name} has schema {revision}, older than this code's "
            f"{SCHEMA_REVISIONS[-1]}. Run `genesys-cloud ledger upgrade`, then start again."
        )
    raise LedgerSchemaError(
        f"The ledger {ledger.name} has schema {revision!r}, which this code does not know: a newer "
        f"version wrote it. Update this project; its newest schema is {SCHEMA_REVISIONS[-1]}."
    )


def upgrade(ledger: Ledger, *, actor: str = "ledger") -> str:
    """Bring the ledger's schema to the newest revision, audit that, and return that revision."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _schema_lock(ledger), ledger.rebuild() as connection:
        if ledger.engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7203417)"))
        config.attributes["connection"] = connection
        before = _revision_of(connection)
        command.upgrade(config, "head")
        if before not in (None, SCHEMA_REVISIONS[-1]):
            _note_upgrade(connection, before, actor)
    return SCHEMA_REVISIONS[-1]


def upgrade_at(url: str, *, actor: str = "ledger") -> str:
    """Upgrade the ledger at a URL, whatever its schema is, and return the revision it then has."""
    ledger = Ledger(_engine(url))
    try:
        if _revision(ledger) not in (None, *SCHEMA_REVISIONS):
            check_schema(ledger)
        return upgrade(ledger, actor=actor)
    finally:
        ledger.close()


def connect_url(url: str) -> str:
    """Return the URL with the one PostgreSQL driver that this project is tested with.

    Airflow spells the type of a connection `postgres`, SQLAlchemy and libpq `postgresql`.
    """
    scheme, separator, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    return f"postgresql+psycopg://{rest}" if separator and kind in _POSTGRES else url


def _engine(url: str, patience_s: int | None = None) -> Engine:
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
    folder = os.open(Path(file).parent, os.O_RDONLY)  # its lock leaves no file behind
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


def _revision(ledger: Ledger) -> str | None:
    with ledger.read() as connection:
        return _revision_of(connection)


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _note_upgrade(connection: Connection, before: str | None, actor: str) -> None:
    from genesys_cloud.ledger import audit

    entry = audit.AuditEntry(
        at=datetime.now(UTC),
        actor=actor,
        action="ledger.upgraded",
        previous_status=before,
        new_status=SCHEMA_REVISIONS[-1],
    )
    audit.append(connection, [entry])


@contextmanager
def _schema_lock(ledger: Ledger) -> Iterator[None]:
    """Let one process at a time change a SQLite ledger's schema."""
    database = ledger.engine.url.database
    if ledger.engine.dialect.name != "sqlite" or database is None:
        with nullcontext():
            yield
        return
    with open(f"{database}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cause(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0][:200] if error.orig else type(error).__name__
