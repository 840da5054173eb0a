"""### Webhook subscription

Registers the receiver's public address with Genesys Cloud, so that status events arrive, signed
with the connection's `webhook_secret` (the first, where it is a list). Run it once, and again after
address or secret have changed: it finds its own registration and updates it, and switches off any
other one for the same name or address.

The real platform (the profile agentless) has no such registration. There, **kind** says how it is
to push: `open` makes an Open Messaging integration that posts to the address; `eventbridge` sends
delivery statuses to AWS, from where an API destination posts them; `trigger` starts a workflow, and
its data action posts. The last two can't sign: they send the connection's `webhook_api_key` as
`x-api-key`. Without any of them track_statuses asks.

Before that, the address has to take a trial event, signed or with that key, which the receiver does
not count. One that takes forged events as well is registered with a warning.

An Airflow DAG of the Genesys Cloud campaigns.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from genesys_cloud.workflows.webhook_tasks import register

AGENTLESS = "The real platform (profile agentless)"

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
        "kind": Param(
            None,
            type=["null", "string"],
            # An enum with null in it would show the word null.
            pattern="^(open|eventbridge|trigger)$",
            examples=["open", "eventbridge", "trigger"],
            description_md="How the real platform is to push. Empty in the profile messaging.",
            section=AGENTLESS,
        ),
        "name": Param(
            None,
            type=["null", "string"],
            maxLength=100,
            description_md="What the registration is called there, and found by. Empty: "
            "**messaging-status-tracker**.",
            section=AGENTLESS,
        ),
        "aws_account_id": Param(
            None,
            type=["null", "string"],
            description_md="For **eventbridge**: the AWS account, 12 digits.",
            section=AGENTLESS,
        ),
        "aws_region": Param(
            None,
            type=["null", "string"],
            description_md="For **eventbridge**: the AWS region, such as eu-central-1.",
            section=AGENTLESS,
        ),
        "event_source_suffix": Param(
            None,
            type=["null", "string"],
            description_md="For **eventbridge**: the end of the event source's name in AWS.",
            section=AGENTLESS,
        ),
        "topic": Param(
            None,
            type=["null", "string"],
            description_md="For **trigger**: the topic whose events start the workflow.",
            examples=[
                "v2.webmessaging.deployments.{id}.undelivered.messages",
                "v2.outbound.messaging.campaigns.contact.postContact",
            ],
            section=AGENTLESS,
        ),
        "workflow_id": Param(
            None,
            type=["null", "string"],
            description_md="For **trigger**: the id of the Architect workflow.",
            section=AGENTLESS,
        ),
    },
    doc_md=__doc__,
    tags=["genesys", "set-up"],
    default_args={"owner": "campaigns"},
) as dag:
    register()
