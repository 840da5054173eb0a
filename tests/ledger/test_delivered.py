"""What the ledger tells the delivery report and learns from it, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from genesys_cloud.ledger import audit, delivered, lost_statuses, plans, sends, suppressions
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.outbound.asking import POLLED
from genesys_cloud.outbound.campaign import Campaign
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
    conversations: Sequence[str | None] = (),
    campaign: Campaign = CAMPAIGN,
) -> list[str]:
    """Send some messages and have them settled, and return the ids that the API gave them."""
    shard = only_shard(ledger, plant(ledger, count, occurrence=occurrence, campaign=campaign))
    batch = sends.claim(ledger, shard, FAST, most=count, now=begun, lease=LEASE)
    sends.begin_attempt(ledger, batch, now=begun, lease=LEASE)
    ids = [f"{occurrence}-{number}" for number in range(count)]
    outcomes = [
        Outcome(
            claim=claim,
            state=State.ACCEPTED,
            message_id=message_id,
            status="queued",
            conversation_id=conversation,
        )
        if state is State.ACCEPTED
        else Outcome(claim=claim, state=state, reason_code="no_answer")
        for claim, message_id, conversation in zip(
            batch.claims, ids, conversations or [None] * count, strict=True
        )
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


def test_why_a_message_in_a_conversation_failed_is_asked_before_it_is_final(
    ledger: Ledger,
) -> None:
    silent, known, arrived, alone = settle(ledger, 4, conversations=["c1", "c2", "c3", None])
    delivered.learn(ledger, [listed(arrived, "delivered")], now=NOW)
    later = NOW + timedelta(hours=9)
    failed = [
        replace(listed(each, "failed"), error_code="30007") for each in (silent, arrived, alone)
    ]
    told = replace(listed(known, "failed"), error_code="RecipientOptedOut")
    assert delivered.learn(ledger, [*failed, told], now=later) == 3
    found = delivered.find(ledger, [silent, known, arrived, alone])
    assert [found[each].status for each in (silent, known, arrived, alone)] == [
        "queued", "failed", "failed", "failed",
    ]  # fmt: skip
    (due,) = lost_statuses.due(ledger, now=later, schedule=POLLED, most=10)
    assert due.message_id == silent
    # Its details name the reason, and the person is written to no more.
    details = replace(listed(silent, "failed"), error_code="RecipientOptedOut")
    lost_statuses.learn(ledger, [due], [details], now=later, schedule=POLLED)
    assert len(suppressions.listing(ledger)) == 2


def test_a_failure_that_nobody_asks_about_any_more_is_taken_as_it_is(ledger: Ledger) -> None:
    (one,) = settle(ledger, 1, conversations=["c1"])
    late = NOW + POLLED.oldest + timedelta(hours=1)
    assert delivered.learn(ledger, [listed(one, "failed")], now=late) == 1


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


def test_a_conversation_names_the_one_message_in_it(ledger: Ledger) -> None:
    settle(ledger, 4, conversations=["one", "both", "both", None])
    settle(ledger, 600, occurrence="many", conversations=[f"c{n}" for n in range(600)])
    found = delivered.in_conversations(
        ledger, ["one", "both", "none", *(f"c{n}" for n in range(600))]
    )
    assert found == {"one": "once-0"} | {f"c{n}": f"many-{n}" for n in range(600)}


def test_what_no_list_of_conversations_shows_one_by_one_is_judged_on_no_day(
    ledger: Ledger,
) -> None:
    into_others = replace(CAMPAIGN, use_active_conversation=True)
    alone = settle(ledger, 2, conversations=["c1", None])
    settle(ledger, 2, occurrence="shared", conversations=["c2", "c2"])
    settle(ledger, 1, occurrence="active", conversations=["c3"], campaign=into_others)
    surely = SurelyWithin.of(DAY, NEXT)
    assert delivered.accepted_within(ledger, surely) == 2
    facts = delivered.find(ledger, [*alone, "active-0"])
    assert [surely.has(facts[one]) for one in (*alone, "active-0")] == [True, True, False]


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
