"""### Pause, resume or cancel a campaign

Running send tasks obey within one batch. A resumed campaign goes on when its DAG is started again;
a cancelled one stays cancelled.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.control_tasks import ACTIONS, control

with DAG(
    "campaign_control",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "campaign_id": Param(type="string", minLength=1, description_md="Which campaign."),
        "action": Param("pause", type="string", enum=list(ACTIONS), description_md="What to do."),
        "reason": Param("", type="string", description_md="Why; it is kept in the audit trail."),
    },
    doc_md=__doc__,
    tags=["genesys"],
    default_args={"owner": "campaigns"},
) as dag:
    control()
