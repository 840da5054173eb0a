"""Tests of a campaign in the ledger: known, and counted nowhere else; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import blocking, campaigns, delivered, plans, sends
from genesys_cloud.ledger.census import census
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.ledger.plans import Origin, Plan
from genesys_cloud.ledger.tables import occurrences
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, planned, sealed

FAST = [Limit(name="account", most=10_000_000)]
LEASE = timedelta(seconds=90)
TIGHT = replace(CAMPAIGN, error_budget_count=1, error_budget_share=0.0, recipient_cap=1)


def put(
    ledger: Ledger,
    count: int,
    occurrence: str,
    *,
    is_test: bool = False,
    state: State | None = None,
) -> Plan:
    """Plan so many recipients, and where a state is given have all of their messages end in it."""
    plan = plans.begin(
        ledger, TIGHT, occurrence=occurrence, sender=TIGHT.sender, template_version="v1", now=NOW,
        origin=Origin(audience_digest="d" * 64), is_test=is_test,
    )  # fmt: skip
    some = [planned(number, occurrence=occurrence) for number in range(1, count + 1)]
    plans.add(ledger, plan, some)
    plan = sealed(ledger, plan, campaign=TIGHT)
    if state is not None:
        settle(ledger, plan, state)
    return plan


def settle(ledger: Ledger, plan: Plan, state: State) -> None:
    shard = only_shard(ledger, plan)
    batch = sends.claim(ledger, shard, FAST, most=100, now=NOW, lease=LEASE)
    batch = sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE)
    accepted = state is State.ACCEPTED
    outcomes = [
        Outcome(
            claim=claim,
            state=state,
            message_id=f"{plan.occurrence}-{number}" if accepted else None,
            status="queued" if accepted else None,
            reason_code=None if accepted else "refused",
        )
        for number, claim in enumerate(batch.claims)
    ]
    record(ledger, outcomes, now=NOW)


def test_a_campaign_s_progress_shows_its_tests_apart(ledger: Ledger) -> None:
    put(ledger, 5, "once")
    test = put(ledger, 3, "test-1", is_test=True, state=State.ACCEPTED)
    put(ledger, 2, "test-2", is_test=True)
    found = campaigns.progress(ledger, CAMPAIGN.campaign_id)
    assert (found.recipients, found.states["planned"], found.states["accepted"]) == (5, 5, 0)
    assert found.statuses["queued"] == 0
    assert found.tests == {"accepted": 3, "planned": 2}
    alone = campaigns.progress(ledger, CAMPAIGN.campaign_id, occurrence_id=test.occurrence_id)
    assert (alone.recipients, alone.states["accepted"], alone.tests) == (3, 3, {})


def test_a_campaign_that_was_only_tested_has_no_recipients_yet(ledger: Ledger) -> None:
    put(ledger, 3, "test-1", is_test=True)
    found = campaigns.progress(ledger, CAMPAIGN.campaign_id)
    assert (found.campaign_state, found.recipients, found.tests) == ("active", 0, {"planned": 3})


@pytest.mark.parametrize("is_test", [True, False])
def test_a_test_that_fails_does_not_pause_its_campaign(ledger: Ledger, is_test: bool) -> None:
    put(ledger, 3, "one", is_test=is_test, state=State.REJECTED)
    found = campaigns.progress(ledger, CAMPAIGN.campaign_id)
    assert found.campaign_state == ("active" if is_test else "paused")


@pytest.mark.parametrize("is_test", [True, False])
def test_the_cap_of_a_recipient_does_not_count_tests(ledger: Ledger, is_test: bool) -> None:
    put(ledger, 3, "one", is_test=is_test, state=State.ACCEPTED)
    plan = put(ledger, 3, "two")
    blocked = blocking.block_planned(ledger, plan, NOW + timedelta(hours=1))
    assert blocked == ({} if is_test else {"capped": 3})


def test_the_report_is_told_which_messages_are_tests_and_counts_them_in_no_funnel(
    ledger: Ledger,
) -> None:
    put(ledger, 2, "test-1", is_test=True, state=State.ACCEPTED)
    put(ledger, 1, "test-2", is_test=True, state=State.REJECTED)
    put(ledger, 3, "once", state=State.ACCEPTED)
    facts = delivered.find(ledger, ["test-1-0", "once-0"])
    assert {name: fact.is_test for name, fact in facts.items()} == {
        "test-1-0": True,
        "once-0": False,
    }
    day = (NOW.replace(hour=0), NOW.replace(hour=0) + timedelta(days=1))
    assert delivered.states_between(ledger, *day) == {"accepted": 3}
    assert delivered.not_sent_between(ledger, *day) == {}


def test_the_census_has_recipients_and_tests_apart(ledger: Ledger) -> None:
    put(ledger, 2, "test-1", is_test=True)
    put(ledger, 3, "once")
    assert len(census(ledger, CAMPAIGN.campaign_id)) == 3
    assert len(census(ledger, CAMPAIGN.campaign_id, tests=True)) == 2


@pytest.mark.parametrize("is_test", [True, False])
def test_a_test_stays_one_and_nothing_else_becomes_one(ledger: Ledger, is_test: bool) -> None:
    put(ledger, 2, "once", is_test=is_test, state=State.ACCEPTED)
    with pytest.raises(CampaignDefinitionError, match="'once' of campaign 'camp_1' was planned as"):
        put(ledger, 2, "once", is_test=not is_test)
    with ledger.read() as connection:
        assert connection.execute(select(occurrences.c.is_test)).scalars().all() == [is_test]


def check(ledger: Ledger, *, audience: str = "own.csv", digest: str = "e" * 64) -> None:
    campaigns.check_test(ledger, CAMPAIGN.campaign_id, audience=audience, audience_digest=digest)


def test_a_campaign_may_be_tested_before_and_after_it_was_sent(ledger: Ledger) -> None:
    check(ledger)
    put(ledger, 1, "test-1", is_test=True)
    check(ledger, audience=CAMPAIGN.audience, digest="d" * 64)  # the first test's own list
    put(ledger, 1, "once")
    check(ledger)


@pytest.mark.parametrize(
    ("audience", "digest"), [(CAMPAIGN.audience, "e" * 64), ("copy.csv", "d" * 64)]
)
def test_the_campaign_s_own_audience_gets_no_test(
    ledger: Ledger, audience: str, digest: str
) -> None:
    put(ledger, 1, "once")
    with pytest.raises(CampaignDefinitionError, match=f"{audience}.* of occurrence 'once'"):
        check(ledger, audience=audience, digest=digest)


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_a_campaign_that_may_not_send_is_not_tested_either(ledger: Ledger, state: str) -> None:
    put(ledger, 1, "once")
    campaigns.change_state(ledger, CAMPAIGN.campaign_id, state, reason="", actor="test", now=NOW)
    with pytest.raises(CampaignDefinitionError, match=f"'camp_1' is {state}"):
        check(ledger)
