"""### Reconcile sends

Every 15 minutes: takes over what dead workers left behind, and asks Genesys about every message
whose outcome nobody knows. What it finds is recorded with its id; what can't be told apart is left
to a person (`genesys-cloud messages unknown`, `messages settle`). It never sends anything.

It also asks about messages whose final status has not arrived: an hour after the last one, then at
2, 4, 8, 16 and 32 hours and daily, for a week after the send. What Genesys knows better moves the
message, as an event would have; later events still count. In the profile `agentless`, where
`track_statuses` asks about each message, this reads lists for those that it left over for a quarter
of an hour, and the details of each that failed, which say why.

The result says: `recovered` leases of dead workers, unknown messages `found` and `left` to a
person; statuses `moved`, messages `still_open`, `not_listed` by Genesys, and `unasked` until the
next run.

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
        "ask_after_minutes": Param(
            60,
            type="integer",
            minimum=5,
            maximum=1440,
            description_md="How old a message's last status is before Genesys is first asked for a "
            "later one.",
        ),
    },
    doc_md=__doc__,
    tags=["genesys"],
    default_args={"owner": "campaigns"},
) as dag:
    reconcile()
