"""### Track statuses

Every 15 minutes, in the profile `agentless`, where Genesys pushes no delivery statuses: asks it
about every message that owes one. A message is asked about 10 seconds after its last status, then
at 20, 40, 80 seconds and so on, then twice a day, for ten days after its send. At most a third of
the account's requests ask; sends keep the rest.

A run asks, waits until the next message is due and asks again, until the next run begins or no
message owes a status. While it waits it is deferred, and takes no worker's slot. What is more than
it may ask for, `reconcile_sends` asks for in lists.

A recipient who has opted out is put on the suppression list.

The result says how many `passes` it made, how many questions it `asked`, how many of them `moved` a
message to a later status, and how many were about a message `not_known` to Genesys. In the profile
`messaging` it ends at once: Genesys pushes its events, and `reconcile_sends` asks for lost ones.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.tracking_operator import TrackStatuses

with DAG(
    "track_statuses",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "campaign_id": Param(
            None, type=["null", "string"], description_md="Empty: every campaign."
        ),
        "window_minutes": Param(
            15,
            type="integer",
            minimum=1,
            maximum=1440,
            description_md="How long after its start the run asks; the scheduled ones meet.",
        ),
    },
    doc_md=__doc__,
    tags=["genesys"],
    default_args={"owner": "campaigns"},
) as dag:
    TrackStatuses(task_id="track")
