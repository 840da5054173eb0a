from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from genesys_cloud.errors import (
    ConnectionSettingsError,
    LedgerSchemaError,
    LedgerUnavailableError,
)
from genesys_cloud.ledger import database
from genesys_cloud.ledger.database import Ledger, open_ledger, upgrade
from genesys_cloud.ledger.page_tables import metadata


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


def _open(url: str) -> str:
    opened = open_ledger(url)
    opened.close()
    return "opened"


def test_an_empty_ledger_may_be_opened_by_many_processes_at_once(ledger_url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(_open, [ledger_url] * 4)) == ["opened"] * 4


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


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(LedgerUnavailableError) as caught:
        open_ledger("postgresql://campaigns:hunter2@127.0.0.1:1/ledger")
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
