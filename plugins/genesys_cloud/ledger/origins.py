"""Which Airflow DAGs planned what the ledger holds: by their rights it is decided who sees it."""

from __future__ import annotations

from sqlalchemy import select

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.overview import PLANNED_BY
from genesys_cloud.ledger.tables import occurrences


def dag_ids(ledger: Ledger) -> frozenset[str]:
    """Return the DAGs that planned anything."""
    query = select(PLANNED_BY).distinct()
    with ledger.read() as connection:
        return frozenset(connection.execute(query).scalars())


def owners(ledger: Ledger, campaign_id: str) -> frozenset[str]:
    """Return the DAGs that planned a campaign; those that tested it where none did."""
    query = select(PLANNED_BY, occurrences.c.is_test).distinct()
    with ledger.read() as connection:
        rows = connection.execute(query.where(occurrences.c.campaign_id == campaign_id)).all()
    real = frozenset(dag_id for dag_id, is_test in rows if not is_test)
    return real or frozenset(dag_id for dag_id, _ in rows)
