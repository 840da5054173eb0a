"""How the ledger is: looked at in a few rows, and left as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select, text

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.ledger import audit, condition
from genesys_cloud.ledger.database import Ledger, is_new, open_ledger
from genesys_cloud.ledger.tables import messages
from tests.ledger.chains import entry
from tests.ledger.planted import plant


def append(ledger: Ledger, entries: int) -> None:
    audit.note(ledger, *(entry(number) for number in range(entries)))


def test_a_ledger_is_new_until_it_has_a_schema(ledger_url: str, tmp_path: Path) -> None:
    assert is_new(ledger_url)
    assert list(tmp_path.iterdir()) == []
    open_ledger(ledger_url).close()
    assert not is_new(ledger_url)


def test_a_ledger_is_found_writable_and_left_as_it_was(ledger: Ledger) -> None:
    plant(ledger, 2)
    condition.check_writable(ledger)
    with ledger.read() as connection:
        assert connection.scalar(select(func.count()).select_from(messages)) == 2


def test_a_file_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    ledger = open_ledger(f"sqlite:///file:{tmp_path}/ledger.db?mode=ro&uri=true")
    with pytest.raises(LedgerUnavailableError, match=r"not written \(attempt to write a readonly"):
        condition.check_writable(ledger)
    ledger.close()


@pytest.mark.postgres
def test_a_database_that_takes_no_changes_is_told(postgres_url: str) -> None:
    open_ledger(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            f'ALTER DATABASE "{connection.info.dbname}" SET default_transaction_read_only = on'
        )
    ledger = open_ledger(postgres_url)
    with pytest.raises(LedgerUnavailableError, match=r"not written \(cannot execute UPDATE in a"):
        condition.check_writable(ledger)
    ledger.close()


def test_a_file_that_somebody_has_locked_is_told(tmp_path: Path) -> None:
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", patience_s=1)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailableError, match="database is locked"):
            condition.check_writable(ledger)
    ledger.close()


@pytest.mark.parametrize(("entries", "most", "read"), [(0, 5, 0), (3, 5, 3), (5, 5, 5), (9, 5, 5)])
def test_the_end_of_a_good_trail_holds(ledger: Ledger, entries: int, most: int, read: int) -> None:
    append(ledger, entries)
    verdict = condition.check_end(ledger, most)
    assert (verdict.ok, verdict.entries) == (True, read)


@pytest.mark.parametrize(
    ("tamper", "first_bad"),
    [
        ("UPDATE audit_entries SET actor = 'nobody' WHERE seq = 7", 7),
        ("DELETE FROM audit_entries WHERE seq = 7", 7),
        ("DELETE FROM audit_entries WHERE seq = 4", 4),  # the one that the end rests on
        ("DELETE FROM audit_entries WHERE seq = 9", 9),
        ("UPDATE audit_head SET seq = 8", 9),
        ("DELETE FROM audit_head", 1),
    ],
)
def test_an_end_that_was_tampered_with_is_named_at_its_entry(
    sqlite: Ledger, tamper: str, first_bad: int
) -> None:
    append(sqlite, 9)
    with sqlite.write() as connection:
        connection.execute(text(tamper))
    assert condition.check_end(sqlite, 5).first_bad == first_bad


def test_what_lies_before_the_end_is_for_the_whole_verification(sqlite: Ledger) -> None:
    append(sqlite, 9)
    with sqlite.write() as connection:
        connection.execute(text("UPDATE audit_entries SET actor = 'nobody' WHERE seq = 2"))
    assert condition.check_end(sqlite, 5).ok
    assert audit.verify(sqlite).first_bad == 2


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def test_unknown_sends_are_counted(ledger: Ledger) -> None:
    plant(ledger, 4)
    assert condition.unknown_sends(ledger) == 0
    with ledger.write() as connection:
        connection.execute(text("UPDATE messages SET state = 'unknown' WHERE row_number < 4"))
        connection.execute(text("UPDATE messages SET state = 'accepted' WHERE row_number = 1"))
    assert condition.unknown_sends(ledger) == 2
