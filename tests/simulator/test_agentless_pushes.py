"""What the platform pushes: EventBridge envelopes, open messages, what customers write."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.simulator.platform_caller import (
    EVENT_BRIDGE_CONFIG,
    INTEGRATIONS,
    OPEN,
    OPEN_SECRET,
    TOPIC,
    Platform,
    an_open_message,
    an_sms,
)
from tests.simulator.receiver import Received, Receiver
from tests.simulator.server import SimulatorProcess

CALM: dict[str, Any] = {
    "speed": 1000,
    "failure_share": 0.0,
    "read_share": 1.0,
    "duplicate_share": 0.0,
    "reorder_share": 0.0,
    "delay_share": 0.0,
}


@contextmanager
def pushing(**options: Any) -> Iterator[Platform]:
    with SimulatorProcess(**CALM | options) as simulator:
        platform = Platform(simulator)
        yield platform
        platform.close()


def forward(platform: Platform, receiver: Receiver | None, **properties: Any) -> str:
    """Set an EventBridge integration up, to a receiver if there is one, and return its path."""
    kind = {"integrationType": {"id": "amazon-eventbridge-source"}}
    path = f"{INTEGRATIONS}/{platform.post(INTEGRATIONS, kind).json()['id']}"
    config = EVENT_BRIDGE_CONFIG | {"properties": EVENT_BRIDGE_CONFIG["properties"] | properties}
    assert platform.call("PUT", f"{path}/config/current", json=config).status_code == 200
    assert platform.call("PATCH", path, json={"intendedState": "ENABLED"}).status_code == 200
    if receiver is not None:
        platform.admin("eventbridge", {"url": receiver.url, "apiKey": "the key"})
    return path


def an_integration(receiver: Receiver, **changes: Any) -> dict[str, Any]:
    return {
        "name": "our carrier",
        "outboundNotificationWebhookUrl": receiver.url,
        "outboundNotificationWebhookSignatureSecretToken": OPEN_SECRET,
    } | changes


def record(delivery: Received) -> dict[str, Any]:
    return dict(delivery.event["detail"]["eventBody"])


def test_each_status_change_is_an_envelope_with_a_key() -> None:
    with Receiver() as receiver, pushing() as platform:
        forward(platform, receiver)
        sent = platform.accepted(an_sms())
        platform.simulator.wait_until_quiet()
    records = [record(each) for each in receiver.received]
    # Two changes a few milliseconds apart may overtake each other on their way.
    assert sorted(each["deliveryStatus"] for each in records) == ["DeliverySuccess", "Read", "Sent"]
    assert {each["conversationId"] for each in records} == {sent["conversationId"]}
    assert {(each["addressTo"], each["purpose"]) for each in records} == {("+13175550101", "api")}
    envelope = receiver.received[0].event
    assert envelope["source"].startswith("aws.partner/genesys.com/cloud/")
    assert envelope["source"].endswith("/campaigns")
    assert envelope["detail-type"] == TOPIC
    assert envelope["detail"]["topicName"] == TOPIC.replace("{id}", sent["conversationId"])
    headers = {key.lower(): value for key, value in receiver.received[0].headers.items()}
    assert headers["x-api-key"] == "the key"
    assert "x-hub-signature-256" not in headers


def test_a_failure_carries_its_code() -> None:
    with Receiver() as receiver, pushing(failure_share=1) as platform:
        forward(platform, receiver)
        platform.accepted(an_sms())
        platform.simulator.wait_until_quiet()
    last = max((record(each) for each in receiver.received), key=lambda each: each["metricDate"])
    assert last["deliveryStatus"] in ("Failed", "DeliveryFailed")
    assert (last["metric"], bool(last["errorCode"])) == ("nError", True)


def test_an_envelope_that_comes_twice_is_the_same_one() -> None:
    with Receiver() as receiver, pushing(duplicate_share=1) as platform:
        forward(platform, receiver)
        platform.accepted(an_sms())
        platform.simulator.wait_until_quiet()
    bodies = Counter(each.body for each in receiver.received)
    assert sorted(bodies.values()) == [2, 2, 2]


def test_envelopes_are_lost_when_told_so() -> None:
    with Receiver() as receiver, pushing(loss_share=1) as platform:
        forward(platform, receiver)
        platform.accepted(an_sms())
        platform.simulator.wait_until_quiet()
    assert receiver.received == []


@pytest.mark.parametrize("how", ["disabled", "removed", "another topic", "no target"])
def test_nothing_is_pushed_unless_the_topic_is_forwarded(how: str) -> None:
    topics = {"eventFilter": ["v2.users.{id}.presence"]} if how == "another topic" else {}
    with Receiver() as receiver, pushing() as platform:
        path = forward(platform, None if how == "no target" else receiver, **topics)
        if how == "disabled":
            platform.call("PATCH", path, json={"intendedState": "DISABLED"})
        elif how == "removed":
            assert platform.call("DELETE", path).status_code == 200
        platform.accepted(an_sms())
        stats = platform.simulator.wait_until_quiet()
    assert receiver.received == []
    assert stats["eventsDelivered"] == 0


def test_an_open_message_goes_to_its_webhook_signed() -> None:
    with Receiver() as receiver, pushing() as platform:
        made = platform.post(OPEN, an_integration(receiver, webhookHeaders={"X-Tenant": "7"}))
        sent = platform.accepted(an_open_message(made.json()["id"]))
        platform.accepted(an_open_message("an-integration-of-nobody"))
        platform.simulator.wait_until_quiet()
    (delivery,) = receiver.received
    headers = {key.lower(): value for key, value in delivery.headers.items()}
    digest = hmac.digest(OPEN_SECRET.encode(), delivery.body, hashlib.sha256)
    assert headers["x-hub-signature-256"] == "sha256=" + base64.b64encode(digest).decode()
    assert headers["x-tenant"] == "7"
    event = delivery.event
    assert (event["id"], event["text"], event["type"]) == (sent["id"], "Hi Alex", "Text")
    assert event["conversationId"] == sent["conversationId"]
    assert event["channel"]["to"] == {"id": "alex@social.example", "idType": "Opaque"}


def test_an_open_message_is_tried_five_times_more() -> None:
    with Receiver(*[503] * 5) as receiver, pushing() as platform:
        made = platform.post(OPEN, an_integration(receiver)).json()
        platform.accepted(an_open_message(made["id"]))
        stats = platform.simulator.wait_until_quiet()
    assert len(receiver.received) == 6
    assert (stats["eventsDelivered"], stats["eventsFailed"]) == (1, 0)


def test_a_webhook_that_says_no_is_not_asked_again() -> None:
    with Receiver(400) as receiver, pushing() as platform:
        made = platform.post(OPEN, an_integration(receiver)).json()
        platform.accepted(an_open_message(made["id"]))
        stats = platform.simulator.wait_until_quiet()
    assert (len(receiver.received), stats["eventsFailed"]) == (1, 1)


def test_what_a_customer_writes_arrives_with_the_key() -> None:
    wrote = {"channel": "sms", "from": "+13175550101", "to": "+13175550100", "text": "STOP"}
    with Receiver() as receiver, pushing() as platform:
        platform.admin("eventbridge", {"url": receiver.url, "apiKey": "the key"})
        event = platform.admin("inbound", wrote)
        platform.simulator.wait_until_quiet()
    (delivery,) = receiver.received
    assert delivery.event == event
    assert event.keys() == wrote.keys() | {"kind", "id", "conversationId", "timestamp"}
    assert event["kind"] == "inbound_message"
    assert wrote.items() <= event.items()
    assert delivery.headers["x-api-key"] == "the key"


def test_without_a_target_a_customer_writes_to_nobody(platform: Platform) -> None:
    with pytest.raises(AssertionError, match="eventbridge"):
        platform.admin("inbound", dict.fromkeys(("channel", "from", "to", "text"), "x"))
