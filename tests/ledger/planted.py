"""A campaign of plain recipients, planned into a ledger, for tests of what comes after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from genesys_cloud.ledger import approvals, outcomes, plans, sends
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.outcomes import Outcome
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.shards import Shard, cut_shards
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.messages import State, message_key, text_digest
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.plan_digest import PlanDigest

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FAST = [Limit(name="account", most=60_000)]
LEASE = timedelta(seconds=90)
CAMPAIGN = Campaign(
    campaign_id="camp_1",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)


def planned(
    number: int, *, occurrence: str = "once", text: str = "Hello", blocked: str | None = None
) -> PlannedMessage:
    address = f"+1202555{number:04d}"
    return PlannedMessage(
        message_key=message_key(
            campaign_id=CAMPAIGN.campaign_id,
            occurrence=occurrence,
            recipient_id=f"r{number}",
            channel=CAMPAIGN.channel,
            address=address,
        ),
        address_key=plans.address_key(CAMPAIGN.channel, address),
        row_number=number,
        recipient_id=f"r{number}",
        address=address,
        language="en",
        text=text,
        text_digest=text_digest(text),
        segments=1,
        state=State.BLOCKED if blocked else State.PLANNED,
        reason_code=blocked,
        reason=blocked,
    )


def plant(
    ledger: Ledger, count: int, *, occurrence: str = "once", campaign: Campaign = CAMPAIGN
) -> Plan:
    plan = plans.begin(
        ledger, campaign, occurrence=occurrence, sender=CAMPAIGN.sender, template_version="v1",
        now=NOW,
    )  # fmt: skip
    plans.add(
        ledger, plan, [planned(number, occurrence=occurrence) for number in range(1, count + 1)]
    )
    plans.finish(ledger, plan)
    return sealed(ledger, plan, campaign=campaign)


def sealed(
    ledger: Ledger,
    plan: Plan,
    *,
    campaign: Campaign = CAMPAIGN,
    asks: bool = False,
    template_version: str = "v1",
) -> Plan:
    """Complete a plan, so that it may be sent, once somebody has approved it where it `asks`."""
    digest = PlanDigest(
        campaign,
        occurrence=plan.occurrence,
        profile="messaging",
        sender=campaign.sender,
        template_version=template_version,
        audience_digest=None,
        quiet_hours=None,
    )
    return approvals.seal(ledger, plan, digest, asks=asks, now=NOW)


def only_shard(ledger: Ledger, plan: Plan) -> Shard:
    (shard,) = cut_shards(ledger, plan.occurrence_id, size=100_000, most=1000)
    return shard


def attempted(
    ledger: Ledger,
    plan: Plan,
    states: Sequence[State],
    *,
    named: str = "id-",
    refusal: tuple[str | None, str | None] = (None, None),
    conversation: str | None = None,
    at: datetime = NOW,
    answered_at: datetime | None = None,
) -> None:
    """Attempt as many messages of a plan as there are states, and have these answers.

    `named` begins the ids of what is accepted; `refusal` is the reason, and its code, of the rest.
    """
    shard = only_shard(ledger, plan)
    batch = sends.claim(ledger, shard, FAST, most=len(states), now=at, lease=LEASE)
    batch = sends.begin_attempt(ledger, batch, now=at, lease=LEASE)
    code, reason = refusal
    told = [
        Outcome(
            claim=claim,
            state=state,
            message_id=f"{named}{claim.id}",
            conversation_id=conversation,
            status="queued",
        )
        if state is State.ACCEPTED
        else Outcome(claim=claim, state=state, reason_code=code, reason=reason)
        for claim, state in zip(batch.claims, states, strict=True)
    ]
    outcomes.record(ledger, told, now=answered_at or at)
