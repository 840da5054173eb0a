"""A campaign as an Airflow DAG: plan -> approve -> shards -> send, one task a shard -> send_held ->
summary.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.workflows.approvals import CampaignApproval
from genesys_cloud.workflows.campaign_tasks import plan, send, shards, summary
from genesys_cloud.workflows.form import campaign_form
from genesys_cloud.workflows.holding_operator import SendHeld


def campaign_dag(
    dag_id: str,
    *,
    doc_md: str | None,
    campaign: Campaign | None = None,
    schedule: Any = None,
    occurrence_format: str | None = None,
) -> DAG:
    """Return the DAG of a campaign, preset and scheduled where a campaign file says so.

    `occurrence_format` (strftime, UTC) makes the occurrence from a run's logical date: a daily
    campaign gives "%Y-%m-%d", and a second run of the same day then sends to nobody twice.
    """
    with DAG(
        dag_id,
        schedule=schedule,
        start_date=datetime(2015, 1, 1, tzinfo=UTC),
        catchup=False,
        params=campaign_form(campaign, live=schedule is not None),
        doc_md=doc_md,
        tags=["genesys", "campaign"],
        default_args={"owner": "campaigns"},
    ) as dag:
        planned = plan(occurrence_format)
        approval = CampaignApproval(task_id="approve")
        cut = shards(planned)
        sent = send.partial(planned=planned).expand(shard=cut)
        planned >> approval >> cut
        held = SendHeld(task_id="send_held", planned=planned)
        end = summary(planned, approval.output)
        # Directly too: a shard that has failed does not let the end come before the others'.
        sent >> [held, end]
        held >> end
    return dag
