"""A campaign as an Airflow DAG: plan -> approve -> wait -> shards -> send, one task a shard ->
send_held -> summary.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.workflows.approval.approvals import CampaignApproval
from genesys_cloud.workflows.campaign_tasks import plan, send, shards, summary
from genesys_cloud.workflows.form.params import APPROVAL_HOURS, campaign_form
from genesys_cloud.workflows.holding_operator import SendHeld
from genesys_cloud.workflows.waiting import WaitForStart


def campaign_dag(
    dag_id: str,
    *,
    doc_md: str | None,
    campaign: Campaign | None = None,
    schedule: Any = None,
    occurrence_format: str | None = None,
    require_approval: bool = True,
    approval_by_other: bool = False,
    approval_hours: float = APPROVAL_HOURS,
) -> DAG:
    """Return the DAG of a campaign, preset and scheduled where a campaign file says so.

    `occurrence_format` (strftime, UTC) makes the occurrence from a run's logical date: a daily
    campaign gives "%Y-%m-%d", and a second run of the same day then sends to nobody twice. A
    scheduled one is no dry run, and asks as well, unless its owner writes require_approval=False.
    """
    form = campaign_form(
        campaign,
        live=schedule is not None,
        require_approval=require_approval,
        approval_by_other=approval_by_other,
        approval_hours=approval_hours,
    )
    with DAG(
        dag_id,
        schedule=schedule,
        start_date=datetime(2015, 1, 1, tzinfo=UTC),
        catchup=False,
        params=form,
        doc_md=doc_md,
        tags=["genesys", "campaign"],
        default_args={"owner": "campaigns"},
    ) as dag:
        planned = plan(occurrence_format, campaign.campaign_id if campaign else None)
        approval = CampaignApproval(task_id="approve")
        cut = shards(planned)
        sent = send.partial(planned=planned).expand(shard=cut)
        planned >> approval >> WaitForStart(task_id="wait") >> cut
        held = SendHeld(task_id="send_held", planned=planned)
        end = summary(planned, approval.output)
        # Directly too: a shard that has failed does not let the end come before the others'.
        sent >> [held, end]
        held >> end
    return dag
