"""Whose campaign it is: the DAG that has planned it before."""

from __future__ import annotations

from sqlalchemy import select

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import occurrences


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
