"""The bytes of a ledger's files as they lie on the disk, read past the database."""

from __future__ import annotations

from pathlib import Path

import psycopg
from sqlalchemy import text

from genesys_cloud.ledger.database import Ledger


def raw_bytes(ledger: Ledger) -> bytes:
    """Return every byte of the ledger's files: rows, free pages, indexes, statistics."""
    files = _sqlite(ledger) if ledger.engine.dialect.name == "sqlite" else _postgresql(ledger)
    return b"\0".join(file.read_bytes() for file in files)


def _sqlite(ledger: Ledger) -> list[Path]:
    database = Path(ledger.engine.url.database or "")
    files = sorted(database.parent.glob(f"{database.name}*"))
    assert database in files
    return files


def _postgresql(ledger: Ledger) -> list[Path]:
    url = ledger.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database "
            "WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return [path for path in (Path(row[0]) / "base" / str(row[1])).iterdir() if path.is_file()]


def gather_statistics(ledger: Ledger) -> None:
    """Let PostgreSQL remember the values of columns, as it does by itself after a while."""
    with ledger.write() as connection:
        connection.execute(text("ANALYZE"))
