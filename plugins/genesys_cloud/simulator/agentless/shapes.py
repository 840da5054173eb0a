"""Messages and conversations as the conversations API shows them."""

from __future__ import annotations

from math import ceil
from typing import Any

from genesys_cloud.simulator.agentless.channels import CHANNELS
from genesys_cloud.simulator.agentless.conversations import (
    AgentlessMessage,
    Conversation,
    Receipt,
)
from genesys_cloud.simulator.agentless.words import WORDS
from genesys_cloud.simulator.instants import to_iso

PROVIDER = "PureCloud Messaging"
_FINAL = ("delivery-success", "delivery-failed", "failed", "read")
MESSAGES = "/api/v2/conversations/messages"


def accepted(message: AgentlessMessage, *, deprecated: bool) -> dict[str, Any]:
    """Return the answer to a send: SendAgentlessOutboundMessageResponse."""
    posted = message.posted
    shown = {
        "id": message.id,
        "conversationId": message.conversation_id,
        "fromAddress": posted["fromAddress"],
        "messengerType": message.channel,
        "useExistingActiveConversation": posted.get("useExistingActiveConversation", False),
        "message": message_data(message, deprecated=deprecated),
        "timestamp": to_iso(message.accepted_ms),
        "selfUri": _uri(message),
    }
    if "toAddress" in posted:
        shown["toAddress"] = posted["toAddress"]
    if deprecated:
        shown |= {key: posted[key] for key in ("textBody", "messagingTemplate") if key in posted}
    return shown


def message_data(message: AgentlessMessage, *, deprecated: bool) -> dict[str, Any]:
    """Return a message with all its receipts: MessageData."""
    shown = {
        "id": message.id,
        "timestamp": to_iso(message.accepted_ms),
        "fromAddress": message.posted["fromAddress"],
        "direction": "outbound",
        "messengerType": message.channel,
        "status": message.status,
        "normalizedMessage": {
            "id": message.id,
            "channel": _channel(message, message.accepted_ms),
            "type": "Structured" if "messagingTemplate" in message.posted else "Text",
            "text": message.text,
            "originatingEntity": "Bot",
            "direction": "Outbound",
        },
        "normalizedReceipts": [_receipt(message, each) for each in message.receipts],
        "conversationId": message.conversation_id,
        "selfUri": _uri(message),
    }
    if "toAddress" in message.posted:
        shown["toAddress"] = message.posted["toAddress"]
    return shown | ({"textBody": message.text} if deprecated else {})


def conversation(known: Conversation) -> dict[str, Any]:
    """Return a conversation with its participants' messages: MessageConversation."""
    customer = _participant(known, "customer")
    customer["toAddress" if known.initiator == "api" else "fromAddress"] = {
        "addressNormalized": known.recipient,
        "addressRaw": known.recipient,
    }
    participants = [customer]
    if known.messages:
        messages = [_message_details(each) for each in known.messages]
        participants.append(_participant(known, "api") | {"messages": messages})
    return {
        "id": known.id,
        "participants": participants,
        "selfUri": f"{MESSAGES}/{known.id}",
    }


def _participant(known: Conversation, purpose: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": known.part(f"{purpose} participant"),
        "purpose": purpose,
        "state": "connected" if known.end_ms is None else "disconnected",
        "direction": known.direction if purpose == "customer" else "outbound",
        "type": known.channel,
        "provider": PROVIDER,
        "connectedTime": to_iso(known.start_ms),
    }
    if known.end_ms is not None:
        shown |= {"endTime": to_iso(known.end_ms), "disconnectType": "endpoint"}
    return shown


def _message_details(message: AgentlessMessage) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "messageId": message.id,
        "messageURI": _uri(message),
        "messageStatus": message.status,
        "messageSegmentCount": _segments(message),
        "messageTime": to_iso(message.accepted_ms),
    }
    code = message.receipts[-1].error_code if message.receipts else None
    if code:
        rest = {"status": 400, "contextId": message.id, "details": [], "errors": []}
        shown["errorInfo"] = _reason(code) | rest
    return shown


def _receipt(message: AgentlessMessage, receipt: Receipt) -> dict[str, Any]:
    shown = {
        "id": message.id,
        "channel": _channel(message, receipt.at_ms),
        "type": "Receipt",
        "status": WORDS[receipt.status].receipt,
        "isFinalReceipt": receipt.status in _FINAL,
        "direction": "Outbound",
    }
    return shown | ({"reasons": [_reason(receipt.error_code)]} if receipt.error_code else {})


def _channel(message: AgentlessMessage, at_ms: int) -> dict[str, Any]:
    phone = message.channel in ("sms", "apple", "whatsapp")
    sender = "Phone" if message.channel == "sms" else "Opaque"
    return {
        "platform": CHANNELS[message.channel].platform,
        "type": "Private",
        "messageId": message.id,
        "to": {"id": message.recipient, "idType": "Phone" if phone else "Opaque"},
        "from": {"id": message.posted["fromAddress"], "idType": sender},
        "time": to_iso(at_ms),
    }


def _reason(code: str) -> dict[str, str]:
    return {"code": code, "message": f"The message was not delivered: {code}."}


def _segments(message: AgentlessMessage) -> int:
    if message.channel != "sms":
        return 1
    length = len(message.text)
    one, several = (160, 153) if message.text.isascii() else (70, 67)
    return 1 if length <= one else ceil(length / several)


def _uri(message: AgentlessMessage) -> str:
    return f"{MESSAGES}/{message.conversation_id}/messages/{message.id}"
