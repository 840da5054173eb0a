"""### Ledger retention

Every day: destroys texts, addresses and status events that are older than the retention policy
(`include/policies/retention.toml`) allows. Messages keep their rows, so campaigns and reports count
as before; what is planned, held, on its way or unknown is not touched. Each step is in the audit
trail with its counts. `genesys-cloud retention --dry-run` says what the next run would destroy.

One person's data is erased on request with `genesys-cloud erase`, never here: a form of Airflow's
would keep the address.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG

from genesys_cloud.workflows.retention_tasks import retain

with DAG(
    "ledger_retention",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["genesys"],
    default_args={"owner": "campaigns"},
) as dag:
    retain()
