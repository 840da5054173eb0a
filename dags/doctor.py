"""### Doctor

Looks at all that a campaign needs and says of each thing that it is well, or what to do:
connection, credentials, rights, limit, clock, ledger, templates, policies, exports, receiver and
registration. The log of the task has the table; `genesys-cloud doctor` prints the same on a
machine, where it can look at Airflow's pool too.

Nothing is sent to anybody and nothing is changed. The receiver gets one signed and one forged trial
event, and counts neither. The run fails where something is wrong; a warning fails nothing.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.doctor.tasks import look

with DAG(
    "doctor",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "connection": Param(
            "genesys_cloud_default",
            type="string",
            minLength=1,
            maxLength=250,
            description_md="The Airflow connection to look at. Without one of that name the "
            "environment serves.",
        ),
        "try_receiver": Param(
            True,
            type="boolean",
            description_md="Send trial events to the receiver's address. Off only where Genesys "
            "reaches it and Airflow's workers do not.",
        ),
    },
    doc_md=__doc__,
    tags=["genesys", "set-up"],
    default_args={"owner": "campaigns"},
) as dag:
    look()
