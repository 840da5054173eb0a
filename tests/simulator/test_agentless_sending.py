"""Agentless messages: what is accepted, what is refused, who is spoken to already."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.platform_caller import (
    MESSAGES,
    RESPONSE_ID,
    SEND,
    Platform,
    a_web_message,
    a_whatsapp,
    an_open_message,
    an_sms,
    an_sms_to,
)
from tests.simulator.server import SimulatorProcess

ACTIVE = "An active conversation is already in progress"


def without(body: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys}


def test_an_sms_is_accepted_and_answered_as_the_platform_does(platform: Platform) -> None:
    answer = platform.accepted(an_sms())
    message = answer["message"]
    assert answer["messengerType"] == message["messengerType"] == "sms"
    assert answer["id"] == message["id"]
    assert (answer["fromAddress"], answer["toAddress"]) == ("+13175550100", "+13175550101")
    assert answer["useExistingActiveConversation"] is False
    assert (message["status"], message["direction"]) == ("queued", "outbound")
    assert message["normalizedMessage"]["text"] == "Hi Alex"
    assert message["normalizedReceipts"] == []
    assert answer["selfUri"] == f"{MESSAGES}/{answer['conversationId']}/messages/{answer['id']}"
    assert not {"textBody", "messagingTemplate"} & (answer.keys() | message.keys())


def test_the_deprecated_fields_come_back_when_told_so() -> None:
    with SimulatorProcess(deprecated_fields=True) as simulator:
        platform = Platform(simulator)
        sms, whatsapp = platform.accepted(an_sms()), platform.accepted(a_whatsapp("Alex", "A-1"))
        platform.close()
    assert sms["textBody"] == sms["message"]["textBody"] == "Hi Alex"
    assert whatsapp["messagingTemplate"]["responseId"] == RESPONSE_ID


def test_the_log_says_what_was_accepted_of_either_profile_in_order(platform: Platform) -> None:
    sent = [
        platform.accepted(body)
        for body in (an_sms(), a_whatsapp("Alex", "A-1"), an_open_message(), a_web_message())
    ]
    log = platform.simulator.messages()
    assert [entry["id"] for entry in log] == [each["id"] for each in sent]
    assert [entry["to"] for entry in log] == [
        "+13175550101",
        "15559998765",
        "alex@social.example",
        "7d0c5fd0-contact",
    ]
    assert log[1]["text"] == "Hello Alex, your order A-1 is ready."
    assert log[0]["conversationId"] == sent[0]["conversationId"]
    assert {entry["profile"] for entry in log} == {"agentless"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (without(an_sms(), "fromAddress"), "fromAddress"),
        (an_sms(fromAddress="317-555"), "fromAddress"),
        (an_sms(toAddress="13175550101"), "toAddress"),
        (an_sms(textBody=" "), "textBody"),
        (an_sms(textBody="x" * 766), "textBody"),
        (an_sms(textBody=5), "textBody"),
        (an_sms(useExistingActiveConversation="yes"), "useExistingActiveConversation"),
        (an_sms(externalContactId=""), "externalContactId"),
        (a_whatsapp("Alex", "A-1", toAddress="+15559998765"), "toAddress"),
        (a_whatsapp("Alex", "A-1", externalContactId="abc-1"), "externalContactId"),
        (without(a_whatsapp() | {"textBody": "Hi"}, "messagingTemplate"), "messagingTemplate"),
        (a_whatsapp("Alex"), "messagingTemplate"),
        (a_whatsapp("Alex", "A-1", "more"), "messagingTemplate"),
        (a_whatsapp(messagingTemplate={"responseId": "nowhere"}), "messagingTemplate"),
        (a_whatsapp(messagingTemplate={"bodyParameters": []}), "messagingTemplate"),
        (an_open_message() | {"textBody": "x" * 2001}, "textBody"),
        (a_web_message(toAddress="+13175550101"), "toAddress"),
        (without(a_web_message(), "externalContactId"), "externalContactId"),
        (an_sms(toAddressMessengerType="facebook"), "toAddressMessengerType"),
        (without(an_sms(), "toAddressMessengerType"), "toAddressMessengerType"),
    ],
)
def test_a_bad_message_is_refused_and_the_field_is_named(
    platform: Platform, body: dict[str, Any], field: str
) -> None:
    answer = platform.post(SEND, body)
    assert answer.status_code == 400
    error = answer.json()
    assert error["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert [detail["fieldName"] for detail in error["details"]] == [field]
    assert set(error["details"][0]) == {"errorCode", "fieldName"}
    assert platform.simulator.messages() == []


@pytest.mark.parametrize(
    "body",
    [
        an_sms(textBody="x" * 765),
        an_sms(fromAddress="88222", externalContactId="contact-1"),
        an_open_message() | {"textBody": "x" * 2000},
        an_sms(toAddressMessengerType="apple", fromAddress="apple-integration"),
        an_sms(toAddressMessengerType="apple", fromAddress="apple-integration", extra=1),
    ],
)
def test_what_fits_is_accepted(platform: Platform, body: dict[str, Any]) -> None:
    platform.accepted(body)


def test_everything_that_is_wrong_is_named_at_once(platform: Platform) -> None:
    error = platform.post(SEND, an_sms(fromAddress="", toAddress="", textBody="")).json()
    named = [detail["fieldName"] for detail in error["details"]]
    assert named == ["fromAddress", "toAddress", "textBody"]


def test_facebook_is_no_allowable_value(platform: Platform) -> None:
    error = platform.post(SEND, an_sms(toAddressMessengerType="facebook")).json()
    assert error["code"] == "invalid.value"
    assert "sms, whatsapp, open, webmessaging, apple" in error["message"]


def test_a_substitution_with_a_default_may_be_left_out(platform: Platform) -> None:
    added = platform.admin(
        "responses",
        {
            "name": "reminder",
            "texts": [{"content": "{{1}}: {{ day }}", "contentType": "text/plain"}],
            "substitutions": [{"id": "1"}, {"id": "day", "defaultValue": "soon"}],
        },
    )
    shown = platform.get(f"/api/v2/responsemanagement/responses/{added['id']}").json()
    assert [each["id"] for each in shown["substitutions"]] == ["1", "day"]
    template = {"responseId": added["id"], "headerParameters": [{"id": "1", "value": "Alex"}]}
    platform.accepted(a_whatsapp(messagingTemplate=template))
    assert platform.simulator.messages()[0]["text"] == "Alex: soon"
    assert platform.get("/api/v2/responsemanagement/responses/nowhere").status_code == 404


def test_an_active_conversation_is_joined_only_when_the_flag_is_set(platform: Platform) -> None:
    opened = platform.admin(
        "conversations/open", {"channel": "sms", "from": "+13175550100", "to": "+13175550101"}
    )
    refused = platform.post(SEND, an_sms())
    assert (refused.status_code, refused.json()["message"]) == (400, ACTIVE)
    joined = platform.accepted(an_sms(useExistingActiveConversation=True))
    assert joined["conversationId"] == opened["conversationId"]
    assert joined["useExistingActiveConversation"] is True
    # Another address, and the same one on another channel, are in no conversation.
    fresh = platform.accepted(an_sms(toAddress="+13175550102", useExistingActiveConversation=True))
    assert fresh["conversationId"] != opened["conversationId"]
    assert len(platform.simulator.messages()) == 2


def test_a_share_of_addresses_is_in_a_conversation_the_same_in_every_run() -> None:
    outcomes = []
    for _ in range(2):
        with SimulatorProcess(active_share=0.5, active_status=409, seed=3) as simulator:
            platform = Platform(simulator)
            answers = [platform.post(SEND, an_sms_to(number)) for number in range(40)]
            platform.close()
        outcomes.append([answer.status_code for answer in answers])
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {202, 409}
    # Of 40 coins between 8 and 32 heads: what lies outside is 1 in 20,000.
    assert 8 <= outcomes[0].count(409) <= 32


@pytest.mark.parametrize(
    ("rule", "status", "accepted"),
    [
        ({"fault": "status", "status": 503}, 503, 0),
        ({"fault": "status", "status": 503, "after_accept": True}, 503, 1),
        ({"fault": "garbage", "after_accept": True}, 202, 1),
        ({"fault": "revoke_token"}, 401, 0),
        ({"fault": "status", "match": {"to": "+13175550101"}}, 503, 0),
        ({"fault": "status", "match": {"to": "+13175550102"}}, 202, 1),
    ],
)
def test_faults_strike_the_send(
    platform: Platform, rule: dict[str, Any], status: int, accepted: int
) -> None:
    platform.simulator.faults([{"on": "agentless"} | rule])
    assert platform.post(SEND, an_sms()).status_code == status
    assert len(platform.simulator.messages()) == accepted


def test_a_fault_on_the_other_profiles_send_leaves_this_one_alone(platform: Platform) -> None:
    platform.simulator.faults([{"on": "send", "fault": "drop_before"}])
    platform.accepted(an_sms())
    platform.simulator.faults([{"on": "agentless", "fault": "drop_after", "times": 1}])
    with pytest.raises(OSError, match=r"Connection|closed"):
        platform.post(SEND, an_sms())
    assert len(platform.simulator.messages()) == 2
