"""### Pause, resume or cancel a campaign

Running send tasks obey within one batch. A resumed campaign goes on when its DAG is started again;
a cancelled one stays cancelled. Whoever may run this DAG steers **every** campaign, also those of
DAGs that they may not see.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.control_tasks import ACTION_WORDS, ACTIONS, control
from genesys_cloud.workflows.form.fields import CAMPAIGN_ID_PATTERN

with DAG(
    "campaign_control",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "campaign_id": Param(
            type="string",
            pattern=CAMPAIGN_ID_PATTERN,
            title="Campaign id",
            description_md="As the page **Campaigns** and the form that started it name it.",
        ),
        "action": Param(
            "pause",
            type="string",
            enum=list(ACTIONS),
            values_display=ACTION_WORDS,
            title="Action",
            description_md="What is to happen to **all** that has not gone out.",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=500,
            title="Reason",
            description_md="Why; the audit trail keeps it. Name nobody.",
        ),
    },
    doc_md=__doc__,
    tags=["genesys"],
    default_args={"owner": "campaigns"},
) as dag:
    control()
