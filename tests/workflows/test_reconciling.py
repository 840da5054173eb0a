"""Unknown sends are settled by what the simulator lists, and by nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit, campaigns, plans, sends, unknowns
from genesys_cloud.ledger.tables import messages
from genesys_cloud.ledger.unknowns import Unknown
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.workflows.pace import limits_of
from genesys_cloud.workflows.proof import Certificate, prove
from genesys_cloud.workflows.reconciling import AFTER, BEFORE, match, reconcile, windows
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import PLENTY, Sender

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def certificate(sender: Sender) -> Certificate:
    return prove(sender.ledger, sender.client, CAMPAIGN.campaign_id, now=datetime.now(UTC))


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "drop_after"},
        {"fault": "status", "status": 503, "after_accept": True},
        {"fault": "hang", "delay_s": 15, "after_accept": True},
    ],
    ids=["answer lost", "5xx after acceptance", "read timeout"],
)
def test_an_accepted_message_whose_answer_was_lost_is_found_with_its_id(
    simulator: SimulatorProcess, impatient: Sender, fault: dict[str, object]
) -> None:
    sender = impatient
    simulator.faults([{"on": "send", "times": 5, **fault}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 40)))
    assert sender.states() == {"accepted": 35, "unknown": 5}
    assert not certificate(sender).proved
    done = reconcile(sender.ledger, sender.client, now=datetime.now(UTC))
    assert (done.found, done.left) == (5, 0)
    ids = {message["to"]: message["id"] for message in simulator.messages()}
    with sender.ledger.read() as connection:
        for row in connection.execute(select(messages)):
            assert row.api_message_id == ids[row.address]
    assert certificate(sender).proved
    assert len(simulator.messages()) == 40


def test_what_is_not_listed_stays_unknown_for_a_person(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 503, "times": 2}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    sender.send(shard)
    done = reconcile(sender.ledger, sender.client, now=datetime.now(UTC))
    assert (done.found, done.left) == (0, 2)
    first, second = unknowns.find(sender.ledger)
    now = datetime.now(UTC)
    unknowns.settle(sender.ledger, first.message_key, "sent", reason="saw it", actor="ann", now=now)
    unknowns.settle(
        sender.ledger, second.message_key[:10], "resend", reason="carrier log", actor="bob", now=now
    )
    sender.send(shard)
    assert sender.states() == {"accepted": 10}
    entries = [e for e in audit.read(sender.ledger) if e["action"].startswith("send.settled")]
    assert [(e["actor"], e["details"]) for e in entries] == [
        ("ann", {"reason": "saw it"}), ("bob", {"reason": "carrier log"}),
    ]  # fmt: skip
    assert certificate(sender).proved
    assert certificate(sender).settled_by_person == 1


@pytest.mark.parametrize("key", ["", "short", "f" * 64])
def test_only_an_unknown_message_can_be_settled(sender: Sender, key: str) -> None:
    plant(sender.ledger, 2)
    with pytest.raises(CampaignDefinitionError, match="names 0 unknown"):
        unknowns.settle(sender.ledger, key, "sent", reason="", actor="t", now=NOW)


def test_a_dead_workers_lease_is_taken_over_without_its_task(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    limits, lease = limits_of(sender.account, PLENTY, campaign_id="c"), timedelta(seconds=90)
    now = datetime.now(UTC)
    dead = sends.claim(sender.ledger, shard, limits, most=5, now=now, lease=lease)
    sends.begin_attempt(sender.ledger, dead, now=now, lease=lease)
    for claim in dead.claims[:3]:
        sender.client.send(claim.message)
    done = reconcile(sender.ledger, sender.client, now=now + lease)
    assert (done.recovered, done.found, done.left) == (5, 3, 2)
    assert sender.states() == {"accepted": 3, "unknown": 2}


def test_only_the_failed_are_planned_again(simulator: SimulatorProcess, sender: Sender) -> None:
    simulator.faults(
        [{"on": "send", "fault": "status", "status": 400, "match": {"to": "+12025550003"}}]
    )
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 5)))
    (key,) = campaigns.failed(sender.ledger, CAMPAIGN.campaign_id, "once")
    assert key == plans.address_key(CAMPAIGN.channel, "+12025550003")
    with pytest.raises(CampaignDefinitionError, match="no occurrence 'twice'"):
        campaigns.failed(sender.ledger, CAMPAIGN.campaign_id, "twice")


def test_a_certificate_names_what_does_not_add_up(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    plan = plant(sender.ledger, 6)
    shard = only_shard(sender.ledger, plan)
    sender.send(shard)
    plant(sender.ledger, 7)
    (extra,) = unsent = sends.claim(
        sender.ledger,
        only_shard(sender.ledger, plan),
        limits_of(sender.account, PLENTY, campaign_id="c"),
        most=1, now=datetime.now(UTC), lease=timedelta(seconds=90),
    ).claims  # fmt: skip
    sender.client.send(extra.message)
    sender.client.send(extra.message)
    found = certificate(sender)
    assert not found.proved
    text = found.as_text()
    assert "1 recipients are still claimed" in text
    assert "is listed 2 times" in text
    assert "NOT PROVED" in text
    assert "+1202555" not in text
    assert len(unsent) == 1


def test_a_campaign_without_recipients_can_not_be_proved(sender: Sender) -> None:
    with pytest.raises(CampaignDefinitionError, match="nothing to prove"):
        certificate(sender)


def unknown(number: int, *, address: str = "+12025550101") -> Unknown:
    return Unknown(
        id=number, message_key=f"k{number}", campaign_id="c", occurrence="once",
        channel="messaging:sms", sender="+12025550100", address=address, text_digest="",
        attempted_at=NOW, reason_code=None, reason=None, correlation_id=None,
    )  # fmt: skip


def listed(number: int, *, recipient: str = "+12025550101", key: str | None = None) -> Delivery:
    return Delivery(
        message_id=f"m{number}", channel="messaging:sms", status="sent", created_at=NOW,
        recipient=recipient, message_key=key,
    )  # fmt: skip


def matched(ones: list[Unknown], deliveries: list[Delivery]) -> dict[int, str]:
    return {finding.unknown.id: finding.message_id for finding in match(ones, deliveries)}


def test_without_a_key_one_faces_one_or_nothing_is_told() -> None:
    assert matched([unknown(1)], [listed(1)]) == {1: "m1"}
    assert matched([unknown(1), unknown(2)], [listed(1)]) == {}
    assert matched([unknown(1)], [listed(1), listed(2)]) == {}
    assert matched([unknown(1)], [listed(1, recipient="+12025550102")]) == {}


def test_another_messages_key_is_never_taken_for_this_one() -> None:
    assert matched([unknown(1)], [listed(1, key="another")]) == {}
    assert matched([unknown(1), unknown(2)], [listed(1, key="k2")]) == {2: "m1"}


def test_a_message_outside_the_time_is_not_the_one() -> None:
    early = replace(listed(1), created_at=NOW - BEFORE - timedelta(seconds=1))
    late = replace(listed(1), created_at=NOW + AFTER)
    assert matched([unknown(1)], [early]) == matched([unknown(1)], [late]) == {}
    assert matched([unknown(1)], [replace(listed(1), created_at=None)]) == {}
    assert matched([unknown(1)], [replace(listed(1), channel="messaging:whatsapp")]) == {}


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=6, unique_by=lambda t: t[0]),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=6),
)
def test_no_listed_message_is_given_to_two_and_none_gets_two(
    ones: list[tuple[int, int]], rows: list[tuple[int, int]]
) -> None:
    open_ones = [unknown(number, address=f"a{person}") for number, person in ones]
    deliveries = [
        listed(place, recipient=f"a{person}", key=f"k{number}" if number < 5 else None)
        for place, (number, person) in enumerate(rows)
    ]
    findings = match(open_ones, deliveries)
    assert max(Counter(f.message_id for f in findings).values(), default=0) <= 1
    assert max(Counter(f.unknown.id for f in findings).values(), default=0) <= 1


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=20))
def test_windows_cover_every_attempt_and_do_not_overlap(seconds: list[int]) -> None:
    instants = [NOW + timedelta(seconds=second) for second in seconds]
    found = windows(instants)
    for instant in instants:
        assert sum(start <= instant - BEFORE < end for start, end in found) == 1
        assert any(start <= instant - BEFORE and instant + AFTER <= end for start, end in found)
    assert all(end < start for (_, end), (start, _) in pairwise(found))
