"""### Webhook subscription

Registers the receiver's public address with Genesys Cloud, so that status events arrive, signed
with the connection's `webhook_secret` (the first, where it is a list). Run it once, and again after
address or secret have changed: it finds its own registration and updates it, and switches off any
other one for the same name or address.

Before that, the address has to take a signed trial event, which the receiver does not count. One
that takes forged events as well is registered with a warning.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.webhook_tasks import register

with DAG(
    "webhook_subscription",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "webhook_url": Param(
            None,
            type=["null", "string"],
            description_md="Where Genesys reaches the receiver, with "
            "**/webhooks/genesys-messaging** at its end. Empty: **GENESYS_WEBHOOK_URL**.",
            examples=["https://hooks.example.org/webhooks/genesys-messaging"],
        ),
        "verify": Param(
            True,
            type="boolean",
            description_md="Send trial events to the address first. Off only where Genesys reaches "
            "it and Airflow's workers do not.",
        ),
    },
    doc_md=__doc__,
    tags=["genesys", "set-up"],
    default_args={"owner": "campaigns"},
) as dag:
    register()
