"""Why something was, or was not, sent: found by whatever people have, and told completely."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from genesys_cloud.ledger import (
    approvals,
    audit,
    blocking,
    campaigns,
    consents,
    erasure,
    events,
    message_trail,
    plans,
    suppressions,
    unknowns,
)
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.needles import Meaning
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.stories import MessageStory
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.why import Explanation, explain
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.consent import ConsentState
from genesys_cloud.outbound.identity import identify
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.planning import plan_occurrence
from tests.ledger.planted import CAMPAIGN, NOW, attempted, planned, plant, sealed

LATER = NOW + timedelta(minutes=5)
NUMBER = "+12025550003"
KEYS = [planned(number).message_key for number in range(1, 6)]


def ask(ledger: Ledger, needle: str, *, now: datetime = NOW, **asked: object) -> Explanation:
    return explain(ledger, needle, now=now, **{"dag_ids": None, **asked})  # type: ignore[arg-type]


def story(ledger: Ledger, number: int, *, now: datetime = NOW) -> MessageStory:
    (one,) = ask(ledger, KEYS[number - 1], now=now).messages
    return one


def send(ledger: Ledger, plan: Plan, *states: State, conversation: str | None = None) -> None:
    """Attempt the first messages, and have these answers five minutes later."""
    refusal = ("no_route", "There is no route to +1 202 555 0102.")
    attempted(ledger, plan, states, refusal=refusal, conversation=conversation, answered_at=LATER)


@pytest.mark.parametrize(
    ("needle", "meaning"),
    [
        ("+12025550001", Meaning.ADDRESS),
        (" +1 (202) 555-0001 ", Meaning.ADDRESS),
        ("0012025550001", Meaning.ADDRESS),
        ("1-202-555-0001", Meaning.ADDRESS),
        ("whatsapp:+12025550001", Meaning.ADDRESS),
        (KEYS[0], Meaning.MESSAGE),
        (KEYS[0][:8].upper(), Meaning.MESSAGE),
        ("id-1", Meaning.API_MESSAGE),
        ("talk-1", Meaning.CONVERSATION),
    ],
)
def test_a_message_is_found_by_whatever_people_have(
    ledger: Ledger, needle: str, meaning: Meaning
) -> None:
    send(ledger, plant(ledger, 3), State.ACCEPTED, conversation="talk-1")
    found = ask(ledger, needle)
    assert found.meaning is meaning
    assert [one.message_key for one in found.messages] == KEYS[:1]
    assert "2025550001" not in repr(found)


@pytest.mark.parametrize(
    "needle", ["", "nobody", "+12025559999", "%", "x" * 1_000, "facebook:77", "7", "\udcff", "+1\0"]
)
def test_what_the_ledger_does_not_know_is_nothing(ledger: Ledger, needle: str) -> None:
    plant(ledger, 1)
    found = ask(ledger, needle)
    assert (found.meaning, list(found.messages)) == (None, [])
    assert needle == "" or needle not in found.masked


def test_what_is_no_address_is_told_with_its_cure(ledger: Ledger) -> None:
    assert "write + and the country code first" in str(ask(ledger, "555").hint)


def test_a_person_s_messages_of_all_campaigns_come_a_page_at_a_time(ledger: Ledger) -> None:
    for name in ("a", "b", "c"):
        plant(ledger, 3, occurrence=name, campaign=replace(CAMPAIGN, campaign_id=f"camp_{name}"))
    first = ask(ledger, NUMBER, limit=2)
    rest = ask(ledger, NUMBER, limit=2, before=first.before)
    assert [one.campaign_id for one in first.messages] == ["camp_c", "camp_b"]
    assert ([one.campaign_id for one in rest.messages], rest.before) == (["camp_a"], None)
    assert not ask(ledger, NUMBER, dag_ids=frozenset({"another"})).messages


def test_every_end_has_its_sentence(ledger: Ledger) -> None:
    plan = plant(ledger, 5)
    send(ledger, plan, State.ACCEPTED, State.REJECTED, State.UNKNOWN)
    assert story(ledger, 1).sentence == "Sent: Genesys accepted it, and its last status is queued."
    assert story(ledger, 2).sentence == ("Not sent: Genesys refused it: There is no route to …02.")
    assert story(ledger, 3).sentence.startswith("Nobody knows whether it was sent: ")
    assert story(ledger, 4).sentence == "Not sent yet: it is planned, and waits for its turn."
    campaigns.change_state(
        ledger, "camp_1", "cancelled", reason="Wrong list.", actor="ops", now=NOW
    )
    assert story(ledger, 4).sentence == "Not sent: it was cancelled: Wrong list."


def test_what_nobody_has_approved_is_said_to_wait_for_that(ledger: Ledger) -> None:
    begun = plans.begin(
        ledger, CAMPAIGN, occurrence="once", sender="s", template_version="v1", now=NOW
    )
    held = planned(2)._replace(state=State.HELD, held_until=LATER, reason="Quiet until 13:00.")
    plans.add(ledger, begun, [planned(1), held])
    assert (
        story(ledger, 1).sentence
        == "Not sent yet: its campaign is being planned, or that planning has failed."
    )
    plan = sealed(ledger, begun, asks=True)
    for number in (1, 2):
        said = story(ledger, number).sentence
        assert said == "Not sent because nobody has approved its plan."
    yes = AuditEntry(at=NOW, actor="ann", action="campaign.approved", campaign_id="camp_1")
    approvals.approve(ledger, plan.occurrence_id, plan.digest, "ann", yes)
    assert story(ledger, 1).sentence == "Not sent yet: it is planned, and waits for its turn."
    assert story(ledger, 2).sentence == "Not sent yet: Quiet until 13:00."


def test_a_blocked_message_says_which_rule_and_when(ledger: Ledger) -> None:
    plan = plant(ledger, 3)
    entry = Suppression(
        channel=CAMPAIGN.channel, address=NUMBER, reason="called 202-555-0003", source="desk"
    )
    suppressions.add(ledger, [entry], actor="desk", now=NOW)
    given = Consent(
        channel=CAMPAIGN.channel, address=NUMBER, state=ConsentState.GIVEN, source="form"
    )
    consents.record(ledger, [given], actor="desk", now=NOW)
    blocking.block_planned(ledger, plan, LATER)
    found = ask(ledger, NUMBER, now=LATER)
    (one,) = found.messages
    assert one.sentence == "Not sent because: The address is on the suppression list."
    (fact,) = [each for each in one.entries if each.action == "plan.blocked"]
    assert (fact.reason, fact.messages, fact.new_status) == ("suppressed", 1, "blocked")
    assert [(each.reason, each.source, each.in_force) for each in found.suppressions] == [
        ("called …03", "desk", True)
    ]
    assert [(each.state, each.source) for each in found.consents] == [("given", "form")]
    # The same person, by the message's key.
    assert ask(ledger, KEYS[2]).suppressions == found.suppressions


def test_a_person_without_any_message_is_known_by_what_they_decided(ledger: Ledger) -> None:
    no = Consent(
        channel=CAMPAIGN.channel, address=NUMBER, state=ConsentState.WITHDRAWN, source="letter"
    )
    consents.record(ledger, [no], actor="desk", now=NOW)
    found = ask(ledger, NUMBER)
    assert (found.meaning, list(found.messages)) == (Meaning.ADDRESS, [])
    assert [one.state for one in found.consents] == ["withdrawn"]


def test_a_message_s_life_is_told_in_order(ledger: Ledger) -> None:
    send(ledger, plant(ledger, 3), State.ACCEPTED, State.ACCEPTED)
    arrived = [
        StatusEvent(event_id=word, message_id="id-1", status=word, occurred_at=LATER + after)
        for word, after in (("delivered", timedelta(seconds=9)), ("sent", timedelta(seconds=5)))
    ]
    events.apply(ledger, arrived, LATER + timedelta(seconds=10))
    one = story(ledger, 1)
    assert [(each.status, each.outcome) for each in one.events] == [
        ("sent", "stale"), ("delivered", "applied"),
    ]  # fmt: skip
    assert [(each.action, each.new_status, each.messages) for each in one.entries] == [
        ("send.attempting", "attempting", 2),
        ("send.accepted", "accepted", 1),
        ("status.changed", "delivered", 1),
    ]
    assert one.gaps == []


def test_what_a_person_settled_is_told(ledger: Ledger) -> None:
    send(ledger, plant(ledger, 1), State.UNKNOWN)
    unknowns.settle(ledger, KEYS[0], "resend", reason="seen", actor="cli:jo", now=LATER)
    told = [(each.action, each.actor, each.reason) for each in story(ledger, 1).entries]
    assert ("send.settled_as_planned", "cli:jo", "seen") in told


def test_a_text_is_told_on_request_only(ledger: Ledger) -> None:
    plant(ledger, 1)
    assert story(ledger, 1).text is None
    assert [one.text for one in ask(ledger, KEYS[0], with_text=True).messages] == ["Hello"]


def test_an_erased_person_is_called_that(ledger: Ledger) -> None:
    send(ledger, plant(ledger, 3), State.ACCEPTED, State.ACCEPTED, State.ACCEPTED)
    erasure.erase(ledger, identify(NUMBER), certificate_id="c", reason="r", actor="a", now=LATER)
    assert ask(ledger, NUMBER).meaning is None
    (one,) = ask(ledger, KEYS[2], with_text=True).messages
    assert one.sentence.endswith("Its address and text were destroyed on 2026-11-23.")
    assert (one.text, one.erased_at) == (None, LATER)


def test_the_entries_of_a_long_plan_are_found_without_reading_all(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_trail, "READ_ALL", 2)
    monkeypatch.setattr(message_trail, "NEAR", 1)
    plan = plans.begin(
        ledger, CAMPAIGN, occurrence="once", sender=CAMPAIGN.sender, template_version="v1", now=NOW
    )
    about = AuditEntry(at=NOW, actor="plan", action="plan.consented", campaign_id="camp_1")
    for first in range(1, 61, 2):
        pair = [planned(number) for number in (first, first + 1)]
        entries = audit.about_many(about, [one.message_key for one in pair])
        plans.add(ledger, plan, pair, entries)
    sealed(ledger, plan)
    for number in (1, 2, 31, 60):
        (one,) = ask(ledger, planned(number).message_key).messages
        assert [(each.seq, each.messages) for each in one.entries] == [((number + 1) // 2, 2)]
        assert one.gaps == []


def test_entries_that_can_not_be_found_are_called_missing(ledger: Ledger) -> None:
    plan = plant(ledger, 2)
    other = AuditEntry(
        at=NOW, actor="plan", action="plan.consented", campaign_id="camp_1",
        details={"message_keys": [KEYS[1]]},
    )  # fmt: skip
    audit.note(ledger, other)
    (gap,) = story(ledger, 1).gaps
    assert "1 audit entries about many messages of 2026-11-23T12:00:00.000Z" in gap
    assert plan.number == 1


def test_a_real_plan_s_decisions_are_all_found(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "address,consent,consent_source,recipient_id,name,orderId\n"
        "+12025550001,true,form 202-555-0001,r1,Ada,1\n"
        "+12025550002,false,,r2,Bob,2\n",
        encoding="utf-8",
    )
    templates = TemplateLibrary(root=PROJECT_ROOT / "include" / "templates")
    template = templates.load("order_update", CAMPAIGN.channel, "messaging")
    with file.open("rb") as stream:
        plan_occurrence(ledger, CAMPAIGN, template, read_csv(stream), occurrence="o", now=NOW)
    (yes,) = ask(ledger, "+12025550001").messages
    (no,) = ask(ledger, "+12025550002").messages
    assert [each.action for each in yes.entries] == ["plan.consented"]
    assert [each.action for each in no.entries] == ["plan.blocked"]
    assert json.loads(yes.consent_proof or "")["source"] == "form …01"
    assert (no.state, no.template, no.row_number) == ("blocked", "order_update", 2)
