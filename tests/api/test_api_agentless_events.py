"""What the platform pushes becomes our events; what it pushes besides is nothing, and no error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.profiles.agentless_events import Parsed, UnknownFormError, parse
from genesys_cloud.outbound.opt_outs import InboundMessage
from genesys_cloud.outbound.status import StatusEvent

AT = datetime(2026, 11, 22, 22, 17, 10, 123000, tzinfo=UTC)
ISO, EPOCH_MS = "2026-11-22T22:17:10.123Z", 1795385830123
CONVERSATION = "d06c7a1e-3c5f-4f26-9d9c-0f6d1f6b2a11"
TOPIC = f"v2.analytics.conversation.{CONVERSATION}.metrics"


def envelope(topic: str = TOPIC, **body: Any) -> dict[str, Any]:
    """Return an EventBridge event, as the published blueprint has it."""
    return {
        "version": "0",
        "id": "58fb5dac-1111-2222-3333-444455556666",
        "detail-type": "v2.analytics.conversation.{id}.metrics",
        "source": "aws.partner/genesys.com/cloud/org/suffix",
        "account": "123456789012",
        "time": "2026-11-22T22:17:11Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "topicName": topic,
            "version": "2",
            "eventBody": body,
            "metadata": {"CorrelationId": "7272d362"},
            "timestamp": ISO,
        },
    }


def metric(**changes: Any) -> dict[str, Any]:
    return {
        "metric": "oMessageCount",
        "metricDate": EPOCH_MS,
        "conversationId": CONVERSATION,
        "recordId": "r-1",
        "deliveryStatus": "DELIVERY_SUCCESS",
        "direction": "OUTBOUND",
        "purpose": "API",
    } | changes


def one(payload: object) -> StatusEvent:
    (event,) = parse(payload)
    assert isinstance(event, StatusEvent)
    return event


@pytest.mark.parametrize("word", ["DELIVERY_SUCCESS", "DeliverySuccess"])
@pytest.mark.parametrize("date", [EPOCH_MS, ISO])
def test_a_metric_with_a_delivery_status_is_an_event_about_its_conversation(
    word: str, date: object
) -> None:
    assert one(envelope(**metric(deliveryStatus=word, metricDate=date))) == StatusEvent(
        event_id="58fb5dac-1111-2222-3333-444455556666",
        message_id=f"conversation:{CONVERSATION}",
        status="delivered",
        occurred_at=AT,
    )


def test_a_failure_keeps_its_reason_without_numbers() -> None:
    failed = metric(deliveryStatus="DeliveryFailed", errorCode="to +1 202 555 0123 refused")
    assert one(envelope(**failed)).reason_code == "to …23 refused"
    extended = failed | {"extendedDeliveryStatus": "RecipientOptedOut"}
    assert one(envelope(**extended)).reason_code == "RecipientOptedOut"
    # A reason belongs to a failure.
    assert one(envelope(**metric(errorCode="x"))).reason_code is None


@pytest.mark.parametrize(
    "body",
    [
        metric(deliveryStatus=None),
        {"metric": "tTalk", "metricDate": EPOCH_MS, "conversationId": CONVERSATION, "value": 3},
        metric(purpose="agent"),
        metric(direction="INBOUND"),
        metric(deliveryStatus="Received"),
    ],
)
def test_other_metrics_are_nothing_to_count(body: dict[str, Any]) -> None:
    assert parse(envelope(**body)) in ([], ())


@pytest.mark.parametrize(
    "topic",
    [
        f"v2.detail.events.conversation.{CONVERSATION}.customer.end",
        "v2.users.u.presence",
        f"v2.analytics.conversation.{CONVERSATION}.metrics.more",
    ],
)
def test_other_topics_are_nothing_to_count(topic: str) -> None:
    assert parse(envelope(topic, **metric())) == ()


CONTACT = {
    "eventTime": EPOCH_MS,
    "conversationId": CONVERSATION,
    "outboundCampaignType": "SMS",
    "wrapupCode": "OUTBOUND_MESSAGE_SENT",
    "smsAttributes": {"contactPhoneNumber": "+12025550101"},
}
POST_CONTACT = "v2.outbound.messaging.campaigns.contact.postContact"


@pytest.mark.parametrize("bare", [True, False])
def test_a_triggers_event_is_read_with_its_topic_and_without(bare: bool) -> None:
    payload = CONTACT if bare else {"topicName": POST_CONTACT, "eventBody": CONTACT}
    event = one(payload)
    assert (event.message_id, event.status) == (f"conversation:{CONVERSATION}", "sent")
    assert event.occurred_at == AT
    # No id is given: what it says names it.
    assert one(payload).event_id == event.event_id
    assert one(payload | {"eventTime": 1} if bare else
               {"topicName": POST_CONTACT, "eventBody": CONTACT | {"eventTime": 1}}
               ).event_id != event.event_id  # fmt: skip


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("OUTBOUND_MESSAGE_FAILED", "failed"),
        ("OUTBOUND_MESSAGE_THROTTLED", None),
        ("OUTBOUND_MESSAGE_AMBIGUOUS", None),
        ("ININ_OUTBOUND_DNC_SKIPPED", None),
    ],
)
def test_a_campaigns_wrap_up_says_whether_it_went_out(word: str, status: str | None) -> None:
    for payload in (
        CONTACT | {"wrapupCode": word},
        {
            "topicName": POST_CONTACT.replace("contact.", "whatsapp.contact."),
            "eventBody": CONTACT | {"wrapupCode": word},
        },
    ):
        found = parse(payload)
        assert [one.status for one in found if isinstance(one, StatusEvent)] == (
            [status] if status else []
        )


def test_undelivered_web_messages_failed_each() -> None:
    body = {
        "conversationId": CONVERSATION,
        "deploymentId": "d-1",
        "messages": [{"id": "m-1", "eventTimeMs": EPOCH_MS}, {"id": "m-2"}],
        "eventTimeMs": EPOCH_MS,
    }
    for payload in (
        body,
        {"topicName": "v2.webmessaging.deployments.d-1.undelivered.messages", "eventBody": body},
    ):
        found = [one for one in parse(payload) if isinstance(one, StatusEvent)]
        assert [(one.message_id, one.status) for one in found] == [
            ("m-1", "failed"), ("m-2", "failed"),
        ]  # fmt: skip
        assert len({one.event_id for one in found}) == 2
    assert one(body | {"messages": []}).message_id == f"conversation:{CONVERSATION}"


OPEN_TEXT = {
    "id": "c327c2078ca056db130c55ce648d9fa2",
    "channel": {
        "id": "i-1",
        "messageId": "c327c2078ca056db130c55ce648d9fa2",
        "platform": "Open",
        "type": "Private",
        "to": {"id": "abcdef12345@socialmedia", "idType": "Opaque"},
        "time": ISO,
    },
    "conversationId": CONVERSATION,
    "direction": "Outbound",
    "originatingEntity": "Human",
    "type": "Text",
    "text": "Hello World",
    "content": [],
    "reasons": [],
}


@pytest.mark.parametrize("kind", ["Text", "Structured"])
def test_an_open_message_that_is_handed_over_was_sent(kind: str) -> None:
    event = one(OPEN_TEXT | {"type": kind})
    assert (event.message_id, event.status, event.occurred_at) == (OPEN_TEXT["id"], "sent", AT)


def test_a_receipt_of_open_messaging_has_its_reason() -> None:
    receipt = OPEN_TEXT | {
        "type": "Receipt",
        "status": "Failed",
        "isFinalReceipt": True,
        "reasons": [{"code": "RecipientOptedOut", "message": "asked +12025550123"}],
    }
    event = one(receipt)
    assert (event.status, event.reason_code) == ("failed", "RecipientOptedOut")
    assert one(receipt | {"status": "Delivered"}).reason_code is None
    assert list(parse(receipt | {"status": "Removed"})) == []
    # An unknown word stays one, and is counted as such.
    assert one(receipt | {"status": "Teleported"}).status == "Teleported"


def test_typing_and_inbound_texts_of_open_messaging_are_nothing_to_count() -> None:
    assert parse(OPEN_TEXT | {"type": "Event"}) == ()
    assert parse(OPEN_TEXT | {"direction": "Inbound"}) == ()


INBOUND = {
    "kind": "inbound_message",
    "id": "in-1",
    "conversationId": CONVERSATION,
    "channel": "sms",
    "from": "+12025550123",
    "to": "+12025550100",
    "text": "Stop!",
    "timestamp": ISO,
}


@pytest.mark.parametrize(
    ("channel", "sender", "address"),
    [
        ("sms", "+12025550123", "+12025550123"),
        ("sms", "tel:+12025550123", "+12025550123"),
        ("sms", "12025550123", "+12025550123"),
        ("apple", "12025550123", "apple:+12025550123"),
        ("messaging:sms", "+1 202 555 0123", "+12025550123"),
        ("whatsapp", "12025550123", "whatsapp:+12025550123"),
        ("WhatsApp", "+12025550123", "whatsapp:+12025550123"),
        ("open", "ann@social", "open:ann@social"),
        ("webmessaging", "9f3c", "web:9f3c"),
        ("webmessaging", CONVERSATION.upper(), f"web:{CONVERSATION}"),
    ],
)
def test_an_inbound_message_has_the_address_in_the_ledgers_form(
    channel: str, sender: str, address: str
) -> None:
    (message,) = parse(INBOUND | {"channel": channel, "from": sender})
    assert isinstance(message, InboundMessage)
    assert (message.address, message.text) == (address, "Stop!")
    assert (message.event_id, message.occurred_at) == ("in-1", AT)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (envelope() | {"id": None}, "an EventBridge event: id"),
        (envelope(**metric(conversationId="x" * 188)), "conversationId"),
        (envelope(**metric(metricDate=True)), "metricDate"),
        (envelope(**metric(metricDate=10**30)), "metricDate"),
        ({"detail": {"topicName": 7}, "id": "e"}, "topicName"),
        (OPEN_TEXT | {"channel": {}}, "channel.time"),
        (OPEN_TEXT | {"type": "Receipt", "status": None}, "status"),
        (INBOUND | {"id": ""}, "id or timestamp"),
        (INBOUND | {"channel": "fax"}, "channel"),
        (INBOUND | {"from": "somebody"}, "of a person"),
        (INBOUND | {"from": None}, "of a person"),
    ],
)
def test_what_is_missing_is_named(payload: object, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse(payload)
    assert not isinstance(caught.value, UnknownFormError)
    assert len(str(caught.value)) < 300


KEYS = st.sampled_from(sorted({*envelope(), *envelope()["detail"], *metric(), *CONTACT, *OPEN_TEXT,
                               *INBOUND, "messages", "deploymentId", "wrapupCode"}))  # fmt: skip
WORDS = st.sampled_from([TOPIC, POST_CONTACT, "Text", "Receipt", "inbound_message", "sms", ISO,
                         "DeliveryFailed", "OUTBOUND_MESSAGE_SENT", "+12025550123"])  # fmt: skip
GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=250) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=16,
)


@st.composite
def nearly(draw: st.DrawFn) -> object:
    """Draw a good payload with some of its fields, or its body's, turned to garbage."""
    payload = dict(draw(st.sampled_from([envelope(**metric()), CONTACT, OPEN_TEXT, INBOUND])))
    payload |= draw(st.dictionaries(st.sampled_from(sorted(payload)), GARBAGE, max_size=3))
    if isinstance(detail := payload.get("detail"), dict):
        body = metric() | draw(st.dictionaries(st.sampled_from(sorted(metric())), GARBAGE))
        payload["detail"] = detail | {"eventBody": body}
    return payload


@given(GARBAGE | nearly())
def test_whatever_comes_is_events_that_can_be_stored_or_is_refused(payload: object) -> None:
    for event in parse_or_nothing(payload):
        assert event.occurred_at.utcoffset() is not None
        assert 0 < len(event.event_id) <= 512
        assert event.event_id.isprintable()
        if isinstance(event, StatusEvent):
            words = (event.message_id, event.status, event.reason_code or "-")
            assert all(word.isprintable() and word for word in words)
            assert all(len(word) <= most for word, most in zip(words, (200, 64, 64), strict=True))


def parse_or_nothing(payload: object) -> Sequence[Parsed]:
    """Return the events of a payload, none where it is refused."""
    try:
        return parse(payload)
    except ValueError:
        return ()
