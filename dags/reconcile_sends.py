"""### Reconcile sends

Every 15 minutes: takes over what dead workers left behind, and asks Genesys about every message
whose outcome nobody knows. What it finds is recorded with its id; what can't be told apart is left
to a person (`genesys-cloud messages unknown`, `messages settle`). It never sends anything.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.control_tasks import reconcile

with DAG(
    "reconcile_sends",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "campaign_id": Param(
            None, type=["null", "string"], description_md="Empty: every campaign."
        ),
    },
    doc_md=__doc__,
    tags=["genesys"],
    default_args={"owner": "campaigns"},
) as dag:
    reconcile()
