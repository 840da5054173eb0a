"""The seed tutorial's own examples, and the messages of these tests."""

from __future__ import annotations

from typing import Any

from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.messages import OutboundMessage

TUTORIAL_SEND: dict[str, Any] = {
    "channelType": "messaging:whatsapp",
    "from": {
        "address": "whatsapp:+15550001234",
        "provider": "whatsapp",
        "channelType": "messaging:whatsapp",
    },
    "to": [{"address": "whatsapp:+15559998765"}],
    "content": {"type": "text", "text": "Hello {{name}}, your order {{orderId}} is ready."},
    "metadata": {"consentVerified": True, "campaignId": "camp_789"},
}

TUTORIAL_RECEIPT: dict[str, Any] = {
    "id": "msg_abc123xyz",
    "channelType": "messaging:whatsapp",
    "status": "queued",
    "createdDate": "2024-01-15T10:30:00.000Z",
}

TUTORIAL_EVENT: dict[str, Any] = {
    "id": "evt_98765",
    "type": "messaging:messages:updated",
    "data": {
        "messageId": "msg_abc123xyz",
        "status": "delivered",
        "timestamp": "2024-01-15T10:30:45.000Z",
    },
}

TUTORIAL_WEBHOOK: dict[str, Any] = {
    "name": "messaging-status-tracker",
    "description": "Tracks message delivery and updates audit logs",
    "apiVersion": "v2",
    "domain": "messaging",
    "event": "messaging:messages:updated",
    "httpTarget": {"url": "https://receiver.example/webhooks/genesys-messaging", "method": "POST"},
    "enabled": True,
}

TUTORIAL_LIST = (
    "/api/v2/messaging/messages?status=delivered,failed"
    "&createdDate=2024-01-08T00:00:00.000Z,2024-01-15T00:00:00.000Z&pageSize=100&pageNumber=1"
)

SENT = "POST /api/v2/messaging/messages"
LISTED = "GET /api/v2/messaging/messages"
TOKENS = "POST /oauth/token"


def a_message(number: int = 0, **changes: Any) -> OutboundMessage:
    """Return a message that the simulator accepts; each number is another recipient."""
    fields: dict[str, Any] = {
        "message_key": f"key-{number}",
        "campaign_id": "camp_789",
        "channel": "messaging:whatsapp",
        "sender": "whatsapp:+15550001234",
        "recipient": f"whatsapp:+1555{9_000_000 + number}",
        "text": "Hello {{name}}, your order {{orderId}} is ready.",
        "consent_verified": True,
    }
    return OutboundMessage(**(fields | changes))


AGENTLESS_SENT = "POST /api/v2/conversations/messages/agentless"

FILLED = FilledTemplate(
    response_id="d5e0f2d4-0000-4000-8000-000000000001",
    body={"1": "Alexandra", "2": "A-1001"},
    header={},
    button_url={},
)


def an_agentless_message(number: int = 0, **changes: Any) -> OutboundMessage:
    """Return an SMS that the platform accepts; each number is another recipient."""
    fields = {
        "channel": "messaging:sms",
        "sender": "+13175550100",
        "recipient": f"+1317{5_560_000 + number}",
        "text": "Hi Alex, your order A-1001 is ready.",
    }
    return a_message(number, **(fields | changes))


def on_channel(channel: str, number: int = 0) -> OutboundMessage:
    """Return a message on one of the platform's channels."""
    senders = {"messaging:sms": "+13175550100", "messaging:web": "web-deployment-1"}
    recipients = {
        "messaging:sms": f"+1317{5_560_000 + number}",
        "messaging:whatsapp": f"whatsapp:+1555{9_000_000 + number}",
        "messaging:open": f"open:user-{number}@service.example",
        "messaging:web": f"web:5a0d1c1e-0000-4000-8000-{number:012d}",
        "messaging:apple": f"apple:+1317{5_570_000 + number}",
    }
    return an_agentless_message(
        number,
        channel=channel,
        sender=senders.get(channel, "integration-1"),
        recipient=recipients[channel],
        text=FILLED.as_text() if channel == "messaging:whatsapp" else "Hi Alex, Grüße 👋",
    )
