"""What the ledger tells the delivery report and learns from it, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

from genesys_cloud.ledger import audit, delivered, plans, sends
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.outbound.deliveries import Delivery, SurelyWithin
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, planned, plant

FAST = [Limit(name="account", most=10_000_000)]
LEASE = timedelta(seconds=90)
DAY = NOW.replace(hour=0)
NEXT = DAY + timedelta(days=1)


def settle(
    ledger: Ledger,
    count: int,
    *,
    occurrence: str = "once",
    begun: datetime = NOW,
    answered: datetime | None = None,
    state: State = State.ACCEPTED,
) -> list[str]:
    """Send some messages and have them settled, and return the ids that the API gave them."""
    shard = only_shard(ledger, plant(ledger, count, occurrence=occurrence))
    batch = sends.claim(ledger, shard, FAST, most=count, now=begun, lease=LEASE)
    sends.begin_attempt(ledger, batch, now=begun, lease=LEASE)
    ids = [f"{occurrence}-{number}" for number in range(count)]
    outcomes = [
        Outcome(claim=claim, state=State.ACCEPTED, message_id=message_id, status="queued")
        if state is State.ACCEPTED
        else Outcome(claim=claim, state=state, reason_code="no_answer")
        for claim, message_id in zip(batch.claims, ids, strict=True)
    ]
    record(ledger, outcomes, now=answered or begun)
    return ids


def listed(message_id: str, status: str) -> Delivery:
    return Delivery(message_id=message_id, channel="messaging:sms", status=status, created_at=NOW)


def test_facts_have_times_and_status(ledger: Ledger) -> None:
    (one,) = settle(ledger, 1, answered=NOW + timedelta(seconds=1))
    fact = delivered.find(ledger, [one, "stranger"])[one]
    assert (fact.campaign_id, fact.template, fact.template_version) == (
        CAMPAIGN.campaign_id,
        CAMPAIGN.template,
        "v1",
    )
    assert (fact.attempted_at, fact.accepted_at) == (NOW, NOW + timedelta(seconds=1))
    assert (fact.status, fact.segments, fact.language) == ("queued", 1, "en")


def test_what_the_list_knows_better_moves_the_ledger_and_is_audited(ledger: Ledger) -> None:
    one, two, three = settle(ledger, 3)
    moved = delivered.learn(
        ledger,
        [listed(one, "delivered"), listed(two, "queued"), listed("stranger", "read")],
        now=NOW + timedelta(hours=9),
    )
    assert moved == 1
    found = delivered.find(ledger, [one, two, three])
    assert [found[each].status for each in (one, two, three)] == ["delivered", "queued", "queued"]
    (entry,) = [entry for entry in audit.read(ledger) if entry["action"] == "status.changed"]
    assert (entry["actor"], entry["api_message_id"]) == ("delivery_report", one)
    assert (entry["previous_status"], entry["new_status"]) == ("queued", "delivered")


def test_learning_again_changes_nothing(ledger: Ledger) -> None:
    (one,) = settle(ledger, 1)
    news = [listed(one, "read")]
    assert [delivered.learn(ledger, news, now=NOW) for _ in range(3)] == [1, 0, 0]
    assert delivered.learn(ledger, [listed(one, "delivered")], now=NOW) == 0


def test_a_large_day_is_learnt_in_transactions_of_a_bounded_size(ledger: Ledger) -> None:
    ids = settle(ledger, 1_100)
    assert delivered.learn(ledger, [listed(one, "sent") for one in ids], now=NOW) == 1_100


def test_only_what_was_surely_created_in_the_interval_is_counted(ledger: Ledger) -> None:
    minute = timedelta(minutes=1)
    begun = {
        "first": DAY + minute,  # may have been created the day before
        "early": DAY + 2 * minute,
        "noon": NOW,
        "quick": NEXT - 9 * minute,  # answered well before midnight
        "slow": NEXT - 9 * minute,  # answered after it
        "last": NEXT - minute,
        "next": NEXT + 5 * minute,
    }
    for occurrence, at in begun.items():
        late = timedelta(hours=1) if occurrence == "slow" else timedelta(seconds=1)
        settle(ledger, 1, occurrence=occurrence, begun=at, answered=at + late)
    surely = SurelyWithin.of(DAY, NEXT)
    assert delivered.accepted_within(ledger, surely) == 3
    facts = delivered.find(ledger, [f"{occurrence}-0" for occurrence in begun])
    assert {one for one, fact in facts.items() if surely.has(fact)} == {
        "early-0",
        "noon-0",
        "quick-0",
    }


def test_who_got_no_message_is_counted_by_campaign_state_and_reason(ledger: Ledger) -> None:
    settle(ledger, 2)
    settle(ledger, 1, occurrence="unknown", state=State.UNKNOWN)
    plan = plans.begin(
        ledger, CAMPAIGN, occurrence="blocked", sender=CAMPAIGN.sender, template_version="v1",
        now=NOW,
    )  # fmt: skip
    reasons = ["consent_missing", "consent_missing", "suppressed"]
    plans.add(
        ledger,
        plan,
        [planned(n, occurrence="blocked", blocked=reason) for n, reason in enumerate(reasons, 1)],
    )
    plans.finish(ledger, plan)
    assert delivered.not_sent_between(ledger, DAY, NEXT) == {
        "camp_1": {
            "blocked": {"consent_missing": 2, "suppressed": 1},
            "unknown": {"no_answer": 1},
        }
    }
    assert delivered.not_sent_between(ledger, NEXT, NEXT + timedelta(days=1)) == {}
