"""Whose campaign it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import plans
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.origins import check_owner
from genesys_cloud.ledger.plans import Origin
from genesys_cloud.outbound.campaign import Campaign

CAMPAIGN = Campaign(
    campaign_id="spring", audience="a.csv", template="t", channel="messaging:sms", sender="+1"
)


def planned_by(
    ledger: Ledger, dag_id: str | None, *, occurrence: str = "once", is_test: bool = False
) -> None:
    """Plan an occurrence from a DAG."""
    plans.begin(
        ledger,
        CAMPAIGN,
        occurrence=occurrence,
        sender="+1",
        template_version="1",
        now=datetime(2026, 11, 23, tzinfo=UTC),
        origin=Origin(dag_id=dag_id),
        is_test=is_test,
    )


def test_a_campaign_of_another_dag_is_refused(ledger: Ledger) -> None:
    planned_by(ledger, "order_update")
    with pytest.raises(CampaignDefinitionError) as caught:
        check_owner(ledger, "spring", "send_campaign")
    assert str(caught.value) == (
        "The campaign_id 'spring' belongs to the DAG order_update. Start that one, or give this "
        "campaign another campaign_id."
    )


def test_one_of_its_own_is_not(ledger: Ledger) -> None:
    planned_by(ledger, "order_update")
    planned_by(ledger, "send_campaign", occurrence="again")
    check_owner(ledger, "spring", "send_campaign")
    check_owner(ledger, "spring", "order_update")


def test_a_new_campaign_and_one_from_before_there_were_owners_are_anybodys(ledger: Ledger) -> None:
    check_owner(ledger, "spring", "send_campaign")
    planned_by(ledger, None)
    check_owner(ledger, "spring", "send_campaign")


def test_a_test_send_makes_nobody_an_owner(ledger: Ledger) -> None:
    planned_by(ledger, "send_test", is_test=True)
    check_owner(ledger, "spring", "send_campaign")
