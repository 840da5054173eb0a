"""A campaign as an Airflow DAG: plan -> approve -> shards -> send, one task a shard -> summary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.workflows.campaign_tasks import plan, send, shards, summary
from genesys_cloud.workflows.form import campaign_form

APPROVAL_TIMEOUT = timedelta(hours=24)
"""After it, nothing is sent."""


class CampaignApproval(ApprovalOperator):
    """Asks a person whether to send, where the run says that it must be asked."""

    def execute(self, context: Any) -> Any:
        """Pass at once for a dry run, or where no approval is required."""
        params = context["params"]
        if params["dry_run"] or not params["require_approval"]:
            return {"chosen_options": [self.APPROVE], "asked": False}
        return super().execute(context)


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
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        params=campaign_form(campaign, live=schedule is not None),
        doc_md=doc_md,
        tags=["genesys", "campaign"],
        default_args={"owner": "campaigns"},
    ) as dag:
        planned = plan(occurrence_format)
        approval = CampaignApproval(
            task_id="approve",
            subject="Send campaign {{ params.campaign_id }}?",
            body=_APPROVAL_BODY,
            response_timeout=APPROVAL_TIMEOUT,
            fail_on_reject=True,
        )
        cut = shards(planned)
        sent = send.partial(planned=planned).expand(shard=cut)
        planned >> approval >> cut
        sent >> summary(planned)
    return dag


_APPROVAL_BODY = """\
{% set counts = ti.xcom_pull(task_ids="plan")["counts"] -%}
**{{ "{:,}".format(counts["planned"]) }}** messages will be sent on `{{ params.channel }}` from
`{{ params.sender }}` with template `{{ params.template }}`.

| | |
|---|---|
| recipients in the audience | {{ "{:,}".format(counts["recipients"]) }} |
{% for code, count in counts["blocked"].items() -%}
| blocked: {{ code }} | {{ "{:,}".format(count) }} |
{% endfor -%}
{% for language, count in counts["languages"].items() -%}
| language {{ language }} | {{ "{:,}".format(count) }} |
{% endfor %}
"""
