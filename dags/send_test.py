"""### Send a test

Sends a campaign's template to a few of your own numbers before the campaign: the same way, at once,
and marked as a test. It asks for no approval, counts in no report, cap or error budget, and goes to
20 numbers at most. Quiet hours do not hold it back; a suppression and a missing consent do.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG

from genesys_cloud.workflows.form.trial import trial_form
from genesys_cloud.workflows.trial_sends import plan, send, summary

with DAG(
    "send_test",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params=trial_form(),
    doc_md=__doc__,
    tags=["genesys", "campaign"],
    default_args={"owner": "campaigns"},
) as dag:
    planned = plan()
    send(planned) >> summary(planned)
