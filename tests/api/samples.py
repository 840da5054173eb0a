"""The seed tutorial's own examples, and the messages of these tests."""

from __future__ import annotations

from typing import Any

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
