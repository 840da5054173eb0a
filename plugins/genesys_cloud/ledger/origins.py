"""Which Airflow DAGs planned what the ledger holds: by their rights it is decided who sees it,
and who may plan more of a campaign.
"""

from __future__ import annotations

from sqlalchemy import select

from genesys_cloud.errors import CampaignDefinitionError
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


def check_owner(ledger: Ledger, campaign_id: str, dag_id: str) -> None:
    """Raise CampaignDefinitionError where a campaign was planned by other DAGs only.

    Who may see and steer a campaign goes by its DAG, so nobody takes one over by typing its name.
    """
    with ledger.read() as connection:
        query = select(occurrences.c.dag_id).where(
            occurrences.c.campaign_id == campaign_id,
            occurrences.c.dag_id.is_not(None),
            occurrences.c.is_test.is_(False),
        )
        owners = set(connection.execute(query.distinct()).scalars())
    if owners and dag_id not in owners:
        raise CampaignDefinitionError(
            f"The campaign_id {campaign_id!r} belongs to the DAG {', '.join(sorted(owners))}. "
            "Start that one, or give this campaign another campaign_id."
        )
