"""The platform's words, read and written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.profiles import agentless, agentless_refusals
from genesys_cloud.api.profiles.addressing import ADDRESSING, channel_of, ledger_address
from genesys_cloud.api.profiles.limits import parse_limits
from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.outbound.channels import CHANNELS
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.messages import Receipt
from tests.api.samples import FILLED, an_agentless_message, on_channel

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
RESPONSE_ID = FILLED.response_id
AT = datetime(2026, 11, 22, 22, 17, 10, 123000, tzinfo=UTC)


def body_of(channel: str, **changes: Any) -> dict[str, Any]:
    """Return the request for a message on a channel."""
    body: dict[str, Any] = json.loads(agentless.send_body(replace(on_channel(channel), **changes)))
    return body


# --- what is written


@pytest.mark.parametrize(
    ("channel", "body"),
    [
        (
            "messaging:sms",
            {
                "fromAddress": "+13175550100",
                "toAddress": "+13175560000",
                "toAddressMessengerType": "sms",
                "textBody": "Hi Alex, Grüße 👋",
            },
        ),
        (
            "messaging:whatsapp",
            {
                "fromAddress": "integration-1",
                "toAddress": "15559000000",
                "toAddressMessengerType": "whatsapp",
                "messagingTemplate": {
                    "responseId": RESPONSE_ID,
                    "bodyParameters": [
                        {"id": "1", "value": "Alexandra"},
                        {"id": "2", "value": "A-1001"},
                    ],
                },
            },
        ),
        (
            "messaging:open",
            {
                "fromAddress": "integration-1",
                "toAddress": "user-0@service.example",
                "toAddressMessengerType": "open",
                "textBody": "Hi Alex, Grüße 👋",
            },
        ),
        (
            "messaging:web",
            {
                "fromAddress": "web-deployment-1",
                "externalContactId": "5a0d1c1e-0000-4000-8000-000000000000",
                "toAddressMessengerType": "webmessaging",
                "textBody": "Hi Alex, Grüße 👋",
            },
        ),
        (
            "messaging:apple",
            {
                "fromAddress": "integration-1",
                "toAddress": "+13175570000",
                "toAddressMessengerType": "apple",
                "textBody": "Hi Alex, Grüße 👋",
            },
        ),
    ],
)
def test_each_channel_has_its_own_form(channel: str, body: dict[str, Any]) -> None:
    assert body_of(channel) == body


def test_every_channel_of_the_profile_can_be_written() -> None:
    usable = {name for name, each in CHANNELS.items() if each.limit("agentless") is not None}
    assert set(ADDRESSING) == usable


def test_the_bytes_are_those_that_the_sdk_writes() -> None:
    # Its own order of fields, json.dumps as it comes, and nothing that was not set.
    written = agentless.send_body(on_channel("messaging:sms"))
    assert written == (
        b'{"fromAddress": "+13175550100", "toAddress": "+13175560000", '
        b'"toAddressMessengerType": "sms", "textBody": "Hi Alex, Gr\\u00fc\\u00dfe '
        b'\\ud83d\\udc4b"}'
    )
    assert list(body_of("messaging:web")) == [
        "fromAddress",
        "externalContactId",
        "toAddressMessengerType",
        "textBody",
    ]


def test_a_template_has_its_sections_in_the_sdks_order() -> None:
    filled = FilledTemplate(
        response_id=RESPONSE_ID, body={"1": "b"}, header={"h": "a"}, button_url={"0": "c"}
    )
    template = body_of("messaging:whatsapp", text=filled.as_text())["messagingTemplate"]
    assert list(template.items()) == [
        ("responseId", RESPONSE_ID),
        ("headerParameters", [{"id": "h", "value": "a"}]),
        ("bodyParameters", [{"id": "1", "value": "b"}]),
        ("buttonUrlParameters", [{"id": "0", "value": "c"}]),
    ]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VALUES = st.dictionaries(TEXTS, TEXTS, max_size=3)


@given(body=VALUES, header=VALUES, button_url=VALUES)
def test_every_value_of_a_template_arrives(
    body: dict[str, str], header: dict[str, str], button_url: dict[str, str]
) -> None:
    def arrived(name: str) -> dict[str, str]:
        return {each["id"]: each["value"] for each in template.get(name, [])}

    filled = FilledTemplate(response_id="r", body=body, header=header, button_url=button_url)
    template = body_of("messaging:whatsapp", text=filled.as_text())["messagingTemplate"]
    assert arrived("bodyParameters") == body
    assert arrived("headerParameters") == header
    assert arrived("buttonUrlParameters") == button_url
    assert [] not in template.values()


def test_the_active_conversation_is_used_only_where_that_is_asked_for() -> None:
    assert "useExistingActiveConversation" not in body_of("messaging:sms")
    asked = body_of("messaging:sms", use_active_conversation=True)
    assert asked["useExistingActiveConversation"] is True
    assert list(asked)[-1] == "useExistingActiveConversation"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channel": "messaging:facebook"}, "sends no messages without an agent on messaging:fac"),
        ({"channel": "messaging:whatsapp"}, "approved templates alone"),
        ({"text": "half a \ud83d"}, "surrogate pair"),
    ],
)
def test_what_no_request_can_carry_is_refused_before_it_is_made(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(RequestRejectedError, match="was not sent") as caught:
        agentless.send_body(an_agentless_message(**changes))
    assert said in str(caught.value)
    assert "key-0 of campaign camp_789" in str(caught.value)


# --- addresses


@given(number=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
@pytest.mark.parametrize("channel", ["messaging:sms", "messaging:whatsapp", "messaging:apple"])
def test_a_number_comes_back_in_the_ledgers_form(channel: str, number: str) -> None:
    way, ours = ADDRESSING[channel], CHANNELS[channel].prefix + number
    assert ledger_address(channel_of(way.messenger_type), way.recipient(ours)) == ours


@given(identity=st.text(st.characters(codec="ascii", exclude_characters=" "), min_size=1))
@pytest.mark.parametrize("channel", ["messaging:open", "messaging:web"])
def test_an_id_comes_back_in_the_ledgers_form(channel: str, identity: str) -> None:
    way, ours = ADDRESSING[channel], CHANNELS[channel].prefix + identity
    assert ledger_address(channel, way.recipient(ours)) == ours


@pytest.mark.parametrize("plus", ["", "+"])
def test_a_whatsapp_number_may_come_with_its_plus_or_without(plus: str) -> None:
    assert ledger_address("messaging:whatsapp", f"{plus}15559998765") == "whatsapp:+15559998765"


def test_a_messenger_that_we_do_not_send_on_keeps_its_name() -> None:
    assert channel_of("facebook") == "messaging:facebook"
    assert ledger_address("messaging:facebook", "123") == "123"
    assert (channel_of(None), channel_of("SMS")) == ("unknown", "messaging:sms")


# --- receipts of a send

MESSAGE = {
    "id": "c327",
    "timestamp": "2026-11-22T22:17:10.123Z",
    "direction": "outbound",
    "messengerType": "sms",
    "status": "queued",
    "normalizedMessage": {"id": "c327", "type": "Text", "text": "Hi", "direction": "Outbound"},
}
NEW = {"id": "c327", "conversationId": "d06c", "messengerType": "sms", "message": MESSAGE}
OLD = {
    **NEW,
    "textBody": "Hi",
    "messagingTemplate": None,
    "message": {**MESSAGE, "textBody": "Hi", "media": []},
}


@pytest.mark.parametrize("body", [NEW, OLD])
def test_both_shapes_of_the_answer_hold_a_receipt(body: dict[str, Any]) -> None:
    assert agentless.parse_receipt(body) == Receipt(
        message_id="c327", conversation_id="d06c", status="queued"
    )


def test_the_ids_may_be_with_the_message_alone() -> None:
    body = {"message": {"id": "c327", "conversationId": "d06c", "status": "sent"}}
    assert agentless.parse_receipt(body) == Receipt(
        message_id="c327", conversation_id="d06c", status="sent"
    )
    assert agentless.parse_receipt({"id": "c327"}) == Receipt(message_id="c327", status="queued")


@given(JSON)
def test_any_json_is_a_receipt_or_none(body: object) -> None:
    found = agentless.parse_receipt(body)
    assert found is None or found.message_id


# --- messages


def receipt(status: str, second: int, **more: Any) -> dict[str, Any]:
    """Return a receipt as the platform shows it."""
    time = f"2026-11-22T22:17:{second:02d}.000Z"
    return {"type": "Receipt", "status": status, "channel": {"time": time}, **more}


def message(**changes: Any) -> Any:
    """Return what the profile makes of a message."""
    return agentless.parse_message({**MESSAGE, "conversationId": "d06c", **changes})


def test_a_message_tells_when_it_reached_what() -> None:
    found = message(
        status="read",
        toAddress="+13175550101",
        normalizedReceipts=[
            receipt("Sent", 11), receipt("Delivered", 15), receipt("Delivered", 14),
            receipt("Read", 40),
        ],
    )  # fmt: skip
    assert (found.message_id, found.conversation_id, found.channel) == (
        "c327",
        "d06c",
        "messaging:sms",
    )
    assert (found.status, found.recipient, found.created_at) == ("read", "+13175550101", AT)
    assert found.sent_at == datetime(2026, 11, 22, 22, 17, 11, tzinfo=UTC)
    assert found.delivered_at == datetime(2026, 11, 22, 22, 17, 14, tzinfo=UTC)
    assert found.read_at == datetime(2026, 11, 22, 22, 17, 40, tzinfo=UTC)
    assert (found.failed_at, found.error_code) == (None, None)


def failed(second: int, code: str, *, final: bool = False) -> dict[str, Any]:
    """Return a receipt of a failure."""
    reasons = [{"code": code, "message": "no"}]
    return receipt("Failed", second, isFinalReceipt=final, reasons=reasons)


@pytest.mark.parametrize(
    ("receipts", "code"),
    [
        ([failed(12, "GeneralError"), failed(13, "RecipientOptedOut")], "RecipientOptedOut"),
        ([failed(12, "RecipientOptedOut", final=True), failed(13, "GeneralError")],
         "RecipientOptedOut"),
        ([failed(12, "RateLimited"), receipt("Failed", 13, reasons=[])], "RateLimited"),
        ([failed(12, "RateLimited"), receipt("Failed", 13, reasons=None)], "RateLimited"),
        ([receipt("Sent", 12, reasons=[{"code": "GeneralError"}])], None),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
def test_the_reason_of_a_failure_is_in_its_last_or_final_receipt(
    receipts: object, code: str | None
) -> None:
    assert message(status="delivery-failed", normalizedReceipts=receipts).error_code == code


def test_a_failure_has_its_first_time() -> None:
    found = message(status="failed", normalizedReceipts=[failed(14, "x"), failed(12, "y")])
    assert found.failed_at == datetime(2026, 11, 22, 22, 17, 12, tzinfo=UTC)
    assert found.status == "failed"


@pytest.mark.parametrize(("word", "ours"), [("delivery-success", "delivered"), ("odd", "odd")])
def test_a_status_is_in_our_words_or_stays_as_it_is(word: str, ours: str) -> None:
    assert message(status=word).status == ours


@given(JSON)
def test_any_json_is_a_message_or_a_clear_error(body: object) -> None:
    try:
        found = agentless.parse_message(body)
    except PagingError:
        return
    assert found.message_id


@given(JSON, JSON, JSON)
def test_any_receipts_are_read(receipts: object, when: object, reasons: object) -> None:
    for given_receipts in (receipts, [receipts], [{"status": "Failed", "reasons": reasons}]):
        found = message(normalizedReceipts=given_receipts, timestamp=when)
        assert found.message_id == "c327"


# --- conversations


def test_the_messages_that_went_out_are_those_of_the_sending_side_the_oldest_first() -> None:
    body = {
        "participants": [
            {"purpose": "customer", "messages": [{"messageId": "in-1", "messageStatus": "sent"}]},
            {
                "purpose": "api",
                "messages": [
                    {"messageId": "out-2", "messageTime": "2026-11-22T22:18:00Z"},
                    {"messageId": "out-1", "messageTime": "2026-11-22T22:17:00.000Z"},
                    {"messageId": "out-1", "messageTime": "2026-11-22T22:17:00.000Z"},
                    {"messageId": "in-2", "messageStatus": "received"},
                    {"messageStatus": "sent"},
                ],
            },
        ]
    }
    assert agentless.parse_conversation(body) == ["out-1", "out-2"]


@given(JSON)
def test_any_json_is_a_conversation(body: object) -> None:
    for given_body in (body, {"participants": body}, {"participants": [{"messages": body}]}):
        assert isinstance(agentless.parse_conversation(given_body), list)


# --- refusals and limits


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize(
    "body",
    [
        {"message": "An active conversation is already in progress", "code": "bad.request"},
        {"message": "x", "errors": [{"message": "ACTIVE CONVERSATION found"}]},
    ],
)
def test_a_person_in_a_conversation_has_a_reason_of_its_own(
    status: int, body: dict[str, Any]
) -> None:
    found = agentless_refusals.find(status, body)
    assert found is not None
    assert found.code == "active_conversation"
    assert "use_active_conversation" in found.cure
    assert "bot" in found.cure


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": "(#132000) Template Param Count Mismatch"}, "template_parameters"),
        ({"details": [{"errorCode": "132001"}]}, "template_missing"),
        ({"message": "131049: not delivered"}, "marketing_limit"),
        ({"message": "error 130472"}, "marketing_experiment"),
        ({"message": "order 1320001 is unknown"}, None),
        ({"message": "Value [toAddress] is missing"}, None),
    ],
)
def test_whatsapps_numbers_have_reasons_too(body: dict[str, Any], code: str | None) -> None:
    found = agentless_refusals.find(400, body)
    assert (found.code if found else None) == code


def test_other_statuses_mean_what_they_mean() -> None:
    assert agentless_refusals.find(403, {"message": "active conversation"}) is None


@given(JSON)
def test_any_json_may_be_a_refusal(body: object) -> None:
    for each in (body, {"message": body}, {"details": body}, {"errors": [body], "code": body}):
        assert agentless_refusals.find(400, each) is None or body


@given(JSON)
def test_any_json_may_be_a_list_of_limits(body: object) -> None:
    key = "token.rate.per.minute"
    for each in (body, {"entities": body}, {"entities": [{"key": key, "value": body}]}):
        assert all(type(value) is int for value in parse_limits(each).values())
