"""### Suppressions and DNC lists

Keeps the suppressions here and a do-not-contact list of Genesys Cloud alike, one way at a time:

* **pull** suppresses every number of the list, until it ends there. It weakens no suppression that
  is here already, and lifts none: a number that has left the list is lifted by a person.
* **push** puts the suppressed numbers on the list. The ledger keeps digests of suppressed addresses
  and not the addresses, so that only numbers go that a message in the ledger still names; the
  result says how many do not. Numbers that came from the list stay away from it.

`genesys-cloud suppressions lists` shows the lists. To run it every night, trigger it with these
Params from a schedule of your own. Profile agentless only.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.suppression_tasks import sync

with DAG(
    "sync_suppressions",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "list_id": Param(
            type="string",
            minLength=1,
            maxLength=200,
            description_md="The DNC list, by its id.",
        ),
        "direction": Param(
            "pull",
            type="string",
            enum=["pull", "push"],
            description_md="**pull**: from the list into the suppressions; **push**: the other "
            "way.",
        ),
        "channel": Param(
            "messaging:sms",
            type="string",
            enum=["messaging:sms", "messaging:whatsapp"],
            description_md="The channel whose addresses the numbers are.",
        ),
    },
    doc_md=__doc__,
    tags=["genesys", "compliance"],
    default_args={"owner": "campaigns"},
    max_active_runs=1,
) as dag:
    sync()
