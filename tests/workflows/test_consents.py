"""Consents that are withdrawn after the audience was made: at the plan, and at the send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genesys_cloud.ledger import audit, blocking, campaigns, consents, sends
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.outbound.consent import ConsentState
from genesys_cloud.workflows.pace import limits_of
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import PLENTY, Sender


def decide(sender: Sender, state: ConsentState, *numbers: int) -> None:
    decided = [
        Consent(
            channel=CAMPAIGN.channel, address=f"+1202555{number:04d}", state=state, source="test"
        )
        for number in numbers
    ]
    consents.record(sender.ledger, decided, actor="tester", now=sender.hurried.now())


def test_who_withdraws_between_plan_and_send_gets_nothing(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    decide(sender, ConsentState.WITHDRAWN, 3, 7)
    sender.send(shard)
    counted = campaigns.progress(sender.ledger, CAMPAIGN.campaign_id)
    assert (counted.states["accepted"], counted.states["blocked"]) == (8, 2)
    assert counted.blocked_reasons == {"consent_withdrawn": 2}
    posted = {message["to"] for message in simulator.messages()}
    assert not posted & {"+12025550003", "+12025550007"}


def test_a_batch_that_is_claimed_already_leaves_without_them(sender: Sender) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 4))
    lease, now = timedelta(seconds=90), datetime.now(UTC)
    limits = limits_of(sender.account, PLENTY, campaign_id="c")
    batch = sends.claim(sender.ledger, shard, limits, most=4, now=now, lease=lease)
    decide(sender, ConsentState.WITHDRAWN, 2)
    left = sends.begin_attempt(sender.ledger, batch, now=now, lease=lease)
    assert [one.message.recipient[-1] for one in left.claims] == ["1", "3", "4"]


def test_a_plan_blocks_those_who_withdrew_before(sender: Sender) -> None:
    decide(sender, ConsentState.WITHDRAWN, 1, 2)
    plan = plant(sender.ledger, 5)
    blocked = blocking.block_planned(sender.ledger, plan, sender.hurried.now())
    assert blocked == {"consent_withdrawn": 2}
    assert sender.states() == {"planned": 3, "blocked": 2}


@pytest.mark.usefixtures("simulator")
def test_a_consent_that_is_given_again_ends_the_withdrawal(sender: Sender) -> None:
    decide(sender, ConsentState.WITHDRAWN, 1, 2)
    decide(sender, ConsentState.GIVEN, 2)
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 3)))
    assert sender.states() == {"accepted": 2, "blocked": 1}
    found = [(row["masked_address"], row["state"]) for row in consents.listing(sender.ledger)]
    assert found == [("…02", "given"), ("…02", "withdrawn"), ("…01", "withdrawn")]


def test_decisions_are_audited_without_the_address(sender: Sender) -> None:
    decide(sender, ConsentState.WITHDRAWN, 5)
    decide(sender, ConsentState.GIVEN, 5)
    entries = list(audit.read(sender.ledger))
    assert [one["action"] for one in entries] == ["consent.withdrawn", "consent.given"]
    assert {one["actor"] for one in entries} == {"tester"}
    assert "+1202555" not in str(entries)
    assert len({one["details"]["address_digest"] for one in entries}) == 1
