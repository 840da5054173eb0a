from __future__ import annotations

import traceback
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, DateTime, MetaData, func, insert, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from genesys_cloud.errors import (
    ConnectionSettingsError,
    LedgerSchemaError,
    LedgerUnavailableError,
)
from genesys_cloud.ledger import database
from genesys_cloud.ledger.database import Ledger, is_new, open_ledger, upgrade
from genesys_cloud.ledger.engine import engine_at
from genesys_cloud.ledger.page_tables import metadata
from tests.ledger.planted import plant
from tests.unprivileged import unprivileged


def test_migrations_make_exactly_the_tables_that_the_code_declares(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_known_revisions_are_those_of_the_migration_scripts() -> None:
    config = Config()
    folder = Path(database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())
    assert [script.revision for script in reversed(scripts)] == list(database.SCHEMA_REVISIONS)


def test_upgrading_twice_changes_nothing(ledger: Ledger) -> None:
    assert upgrade(ledger) == upgrade(ledger) == database.SCHEMA_REVISIONS[-1]


def test_a_folder_that_may_be_entered_but_not_read_is_named() -> None:
    # Not in pytest's own, for the folders above those are closed to others.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o333)
        ledger = Ledger(engine_at(f"sqlite:///{folder}/ledger.db"))
        with (
            unprivileged(),
            pytest.raises(LedgerUnavailableError, match=r"can't be read .* Let this user read it"),
            ledger.read(),
        ):
            pass


@pytest.mark.parametrize("revision", database.SCHEMA_REVISIONS[:-1])
def test_a_filled_ledger_of_any_age_is_upgraded_with_all_its_rows(
    ledger_url: str, revision: str
) -> None:
    ledger = Ledger(engine_at(ledger_url))
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with ledger.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        old = MetaData()
        old.reflect(connection)
        for name in FAMILY:
            table = old.tables[name]
            connection.execute(insert(table).values({c.name: _filler(c) for c in table.columns}))
    upgrade(ledger)
    with ledger.write() as connection:
        for name in FAMILY:
            assert connection.scalar(select(func.count()).select_from(metadata.tables[name])) == 1
        with pytest.raises(IntegrityError):  # foreign keys hold again
            connection.execute(metadata.tables["occurrences"].delete())
    ledger.close()


FAMILY = ("campaigns", "occurrences", "messages")
"""Tables that refer to the one before."""


def _filler(column: Column[Any]) -> object:
    """Return a value that any row may have there."""
    if column.name.endswith("campaign_id"):
        return "c"
    if column.nullable:
        return None
    if isinstance(column.type, DateTime):
        return datetime(2026, 11, 1, tzinfo=UTC)
    return "planned" if column.type.python_type is str else 1


def _open(url: str) -> str:
    opened = open_ledger(url)
    opened.close()
    return "opened"


def test_an_empty_ledger_may_be_opened_by_many_processes_at_once(ledger_url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(_open, [ledger_url] * 4)) == ["opened"] * 4


def test_who_comes_first_to_an_empty_sqlite_file_turns_nobody_away(tmp_path: Path) -> None:
    together = Barrier(4)

    def ask(file: Path) -> bool:
        together.wait()
        return is_new(f"sqlite:///{file}")

    with ThreadPoolExecutor(4) as pool:
        for number in range(100):
            file = tmp_path / f"{number}.db"
            file.touch()
            assert list(pool.map(ask, [file] * 4)) == [True] * 4


@pytest.mark.parametrize(
    ("revision", "cure"),
    [("0000", "newer version wrote it"), ("9999", "newer version wrote it")],
)
def test_a_schema_of_another_version_is_refused_with_its_cure(
    ledger: Ledger, ledger_url: str, revision: str, cure: str
) -> None:
    with ledger.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    with pytest.raises(LedgerSchemaError, match=cure):
        open_ledger(ledger_url)


def test_an_older_schema_is_refused_and_names_the_command(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SCHEMA_REVISIONS", (*database.SCHEMA_REVISIONS, "9998"))
    with pytest.raises(LedgerSchemaError, match="genesys-cloud ledger upgrade"):
        open_ledger(ledger_url)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "oracle+nothing://x", "sqlite://", "sqlite:///:memory:"]
)
def test_an_address_that_is_no_shared_database_is_refused(url: str) -> None:
    with pytest.raises(ConnectionSettingsError, match="GENESYS_LEDGER_URL"):
        open_ledger(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://campaigns:hunter2@127.0.0.1:1/ledger",
        "postgresql://campaigns@127.0.0.1:1/ledger?password=hunter2&sslpassword=hunter2",
    ],
)
def test_a_database_that_is_away_is_named_without_its_password(url: str) -> None:
    with pytest.raises(LedgerUnavailableError) as caught:
        open_ledger(url)
    assert "127.0.0.1:1/ledger" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnavailableError, match="file"):
        open_ledger(f"sqlite:///{tmp_path}/file/ledger.db")


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    def fail_midway() -> None:
        with ledger.write() as connection:
            connection.execute(text("INSERT INTO rate_gates VALUES ('account', 1)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    with ledger.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM rate_gates")).scalar() == 0


def test_a_rebuild_that_fails_leaves_foreign_keys_as_they_were(ledger: Ledger) -> None:
    plant(ledger, 1)
    with suppress(RuntimeError), ledger.rebuild():
        raise RuntimeError
    with ledger.write() as connection, pytest.raises(IntegrityError):
        connection.execute(metadata.tables["occurrences"].delete())


def test_what_was_written_stands_in_no_traceback_of_a_failed_write(ledger: Ledger) -> None:
    values = {"someone": "+1202" + "5550143"}
    with (
        pytest.raises((LedgerUnavailableError, ProgrammingError)) as caught,
        ledger.write() as connection,
    ):
        connection.execute(text("INSERT INTO nowhere VALUES (:someone)"), values)
    told = "".join(traceback.format_exception(caught.value))
    assert "INSERT INTO nowhere" in told
    assert values["someone"] not in told
