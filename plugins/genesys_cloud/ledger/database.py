"""The ledger database: how it is opened, and that its schema is the one this code knows."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from genesys_cloud.errors import (
    LedgerSchemaError,
    LedgerUnavailableError,
)
from genesys_cloud.ledger.engine import connect_url, engine_at
from genesys_cloud.outbound.failure_policy import OPTED_OUT_ALONE, FailurePolicy

SCHEMA_REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every revision that this code knows, oldest first; a test holds it against migrations/."""


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
        url = self.engine.url.difference_update_query(["password", "sslpassword"])
        return url.render_as_string(hide_password=True)

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
        rebuilding = self._writer.execution_options(ledger_rebuilds=True)
        try:
            with self._transaction(rebuilding) as connection:
                yield connection
                self._check_parents(connection)
        finally:
            self.close()  # the next connections keep foreign keys again

    def _check_parents(self, connection: Connection) -> None:
        if orphans := connection.execute(text("PRAGMA foreign_key_check")).all():
            raise LedgerSchemaError(
                f"The ledger {self.name} was not upgraded: {len(orphans)} rows refer to others "
                f"that are not there, the first in {orphans[0][0]}. Restore a backup, or ask for "
                "help with this sentence."
            )

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
                    "step was written: start the database again if it is down, and repeat the step."
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
    ledger = Ledger(engine_at(url, patience_s), failures)
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
    ledger = Ledger(engine_at(url, patience_s))
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
    ledger = Ledger(engine_at(url))
    try:
        if _revision(ledger) not in (None, *SCHEMA_REVISIONS):
            check_schema(ledger)
        return upgrade(ledger, actor=actor)
    finally:
        ledger.close()


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
