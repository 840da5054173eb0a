"""Posting a message: what is accepted, and what is wrong with the rest."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulator.caller import Caller, a_message, an_sms
from tests.simulator.server import SimulatorProcess

SEVERAL = [{"address": "whatsapp:+12025550123"}, {"address": "whatsapp:+12025550124"}]


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def faults_of(caller: Caller, message: dict[str, Any]) -> list[tuple[str, str]]:
    answer = caller.send(message)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "bad.request"
    return [(each["errorCode"], each["fieldName"]) for each in answer.json()["details"]]


def test_an_accepted_message_answers_as_the_contract_shows(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    answer = caller.send(a_message())
    assert answer.status_code == 201
    body = answer.json()
    assert list(body) == ["id", "channelType", "status", "createdDate"]
    assert re.fullmatch(r"msg_\w+", body["id"])
    assert (body["channelType"], body["status"]) == ("messaging:whatsapp", "queued")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["createdDate"])
    age = datetime.now(UTC) - datetime.fromisoformat(body["createdDate"])
    assert timedelta(0) <= age < timedelta(seconds=10)


def test_the_log_of_accepted_messages_says_what_was_accepted_in_order(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    first = caller.send(a_message()).json()
    caller.send(a_message(channelType="messaging:sms"))
    second = caller.send(an_sms()).json()
    logged = simulator.messages()
    assert [entry["id"] for entry in logged] == [first["id"], second["id"]]
    entry = logged[0]
    assert entry.pop("status") in ("queued", "sent", "delivered", "read", "failed")
    assert entry == {
        "id": first["id"],
        "channelType": "messaging:whatsapp",
        "from": "whatsapp:+12025550100",
        "to": "whatsapp:+12025550123",
        "text": "Hello Alex, your order is ready.",
        "metadata": {"consentVerified": True, "campaignId": "camp_789"},
        "acceptedAt": first["createdDate"],
    }


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (a_message(channelType="messaging:fax"), ("invalid.channel", "channelType")),
        (a_message(channelType=["messaging:sms"]), ("invalid.channel", "channelType")),
        (a_message(**{"from": {}}), ("missing.value", "from.address")),
        (a_message(**{"from": "whatsapp:+12025550100"}), ("missing.value", "from.address")),
        (
            a_message(**{"from": {"address": "+12025550100"}}),
            ("invalid.address", "from.address"),
        ),
        (
            a_message(
                **{"from": {"address": "whatsapp:+12025550100", "channelType": "messaging:sms"}}
            ),
            ("invalid.address", "from.channelType"),
        ),
        (a_message(to=[]), ("missing.value", "to")),
        (a_message(to="whatsapp:+12025550123"), ("missing.value", "to")),
        (a_message(to=[None]), ("invalid.address", "to[0].address")),
        (a_message(to=[{"address": "+12025550123"}]), ("invalid.address", "to[0].address")),
        (an_sms(to=[{"address": "whatsapp:+12025550123"}]), ("invalid.address", "to[0].address")),
        (an_sms(to=[{"address": "2025550123"}]), ("invalid.address", "to[0].address")),
        (a_message(to=SEVERAL), ("too.many.recipients", "to")),
        (a_message(content=text("")), ("missing.value", "content.text")),
        (a_message(content=text(" \n")), ("missing.value", "content.text")),
        (a_message(content={"type": "text"}), ("missing.value", "content.text")),
        (a_message(content={"type": "image", "text": "a"}), ("invalid.value", "content.type")),
        (a_message(metadata={}), ("consent.required", "metadata.consentVerified")),
        (
            a_message(metadata={"consentVerified": "true"}),
            ("consent.required", "metadata.consentVerified"),
        ),
    ],
)
def test_one_thing_wrong_is_named_and_nothing_is_accepted(
    simulator: SimulatorProcess,
    caller: Caller,
    message: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    assert faults_of(caller, message) == [expected]
    assert simulator.messages() == []


def test_everything_that_is_wrong_is_listed_at_once(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    message = an_sms(content=text("a" * 210), metadata={"consentVerified": False})
    answer = caller.send(message)
    assert [each["errorCode"] for each in answer.json()["details"]] == [
        "character.limit.exceeded",
        "consent.required",
    ]
    # The contract's own example of a message that fails twice.
    assert (
        "Channel messaging:sms exceeds character limit of 160. Current length: 210"
        in answer.json()["message"]
    )


@pytest.mark.parametrize(
    ("channel", "prefix", "limit"),
    [
        ("messaging:sms", "+1202555010", 160),
        ("messaging:whatsapp", "whatsapp:+1202555010", 1600),
        ("messaging:facebook", "facebook:1234", 64000),
        ("messaging:web", "web:visitor-", 10000),
    ],
)
def test_each_channel_takes_a_text_up_to_its_limit(
    caller: Caller, channel: str, prefix: str, limit: int
) -> None:
    parties = {"from": {"address": f"{prefix}0"}, "to": [{"address": f"{prefix}1"}]}
    longest = a_message(channelType=channel, content=text("a" * limit), **parties)
    assert caller.send(longest).status_code == 201
    too_long = longest | {"content": text("a" * (limit + 1))}
    assert faults_of(caller, too_long) == [("character.limit.exceeded", "content.text")]


def test_length_is_counted_in_utf_16_code_units(caller: Caller) -> None:
    # An emoji outside the basic plane is two units: 80 of them are 160, 80 and a letter 161.
    assert caller.send(an_sms(content=text("😀" * 80))).status_code == 201
    assert faults_of(caller, an_sms(content=text("😀" * 80 + "a"))) == [
        ("character.limit.exceeded", "content.text")
    ]
    assert caller.send(an_sms(content=text("é" * 160))).status_code == 201


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff"])
def test_a_body_that_is_no_json_object_answers_400(
    simulator: SimulatorProcess, caller: Caller, body: bytes
) -> None:
    answer = caller.call("POST", "/api/v2/messaging/messages", data=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad.request")
    assert simulator.messages() == []


def test_what_is_not_served_answers_404(caller: Caller) -> None:
    answer = caller.get("/api/v2/conversations/messages/agentless")
    assert (answer.status_code, answer.json()["code"]) == (404, "not.found")
