"""The `agentless` profile: the platform's own public API, message by message.

Source: the official SDK's models SendAgentlessOutboundMessageRequest and MessageData.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from genesys_cloud.api.profiles import vocabulary
from genesys_cloud.api.profiles.addressing import ADDRESSING, channel_of, ledger_address
from genesys_cloud.api.profiles.fields import entities, identifier, mapping, parse_time, text
from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.messages import OutboundMessage, Receipt

CONVERSATIONS = "/api/v2/conversations/messages"
SEND = f"{CONVERSATIONS}/agentless"

MOST_IDS = 1_000
"""Messages of one conversation that one request may ask for."""

TO_SEND = "conversation:message:create"
TO_VIEW = "conversation:message:view"
TO_ANALYSE = "analytics:conversationDetail:view"
TO_READ_TEMPLATES = "responses:response:view"
"""Permissions that the OAuth client's roles need."""

_CUSTOMERS = frozenset({"customer", "external"})
_LONGEST_STATUS = 64
_NO_FAILURE = frozenset({"sent", "delivered", "read", "removed"})
"""Of receipts, our words for those that report no failure; some that do have no status."""


def send_body(message: OutboundMessage) -> bytes:
    """Return the JSON of a message, as the official SDK writes it to the byte.

    Raises RequestRejectedError where no request can carry the message.
    """
    way = ADDRESSING.get(message.channel)
    if way is None:
        raise _unsendable(
            message,
            f"the platform sends no messages without an agent on {message.channel}. Choose one of "
            f"{', '.join(ADDRESSING)}, or the profile messaging.",
        )
    body = {
        "fromAddress": way.sender(message.sender),
        way.recipient_field: way.recipient(message.recipient),
        "toAddressMessengerType": way.messenger_type,
        **_content(message, templated=way.templated),
    }
    if message.use_active_conversation:
        body["useExistingActiveConversation"] = True
    if not _is_unicode(body):
        raise _unsendable(
            message,
            "its text holds half of a surrogate pair, which no JSON can carry. Mend the template "
            "or the contact list.",
        )
    return json.dumps(body).encode()


def hidden(message: OutboundMessage) -> tuple[str, ...]:
    """Return the parts of a message that no error may repeat, should the server do so."""
    try:
        filled = FilledTemplate.parse(message.text)
    except ValueError:
        return message.hidden
    values = (value for section in filled.sections().values() for value in section.values())
    return (*message.hidden, *values)


def parse_receipt(body: object) -> Receipt | None:
    """Return the receipt in the answer to a send, None where there is no message id in it.

    Older answers repeat the request beside the message, newer ones hold the message alone.
    """
    fields = mapping(body)
    message = mapping(fields.get("message"))
    message_id = identifier(fields.get("id")) or identifier(message.get("id"))
    if message_id is None:
        return None
    conversation = identifier(fields.get("conversationId"))
    return Receipt(
        message_id=message_id,
        conversation_id=conversation or identifier(message.get("conversationId")),
        status=vocabulary.from_messages(text(message.get("status"), _LONGEST_STATUS) or "queued"),
    )


def details_path(message_id: str) -> str:
    """Return the path of one message."""
    return f"{conversation_path(message_id)}/details"


def bulk_path(conversation_id: str) -> str:
    """Return the path at which several messages of one conversation are asked for."""
    return f"{conversation_path(conversation_id)}/messages/bulk"


def conversation_path(conversation_id: str) -> str:
    """Return the path of one conversation."""
    return f"{CONVERSATIONS}/{quote(conversation_id, safe='')}"


def parse_message(entity: object) -> Delivery:
    """Return the delivery that a message describes; raises PagingError for one without an id.

    A time that is missing or unreadable is None; a status that we don't know stays as it is.
    """
    fields = mapping(entity)
    message_id = identifier(fields.get("id"))
    if message_id is None:
        raise PagingError("The answer holds a message without an id: nobody can say whose it is")
    channel = channel_of(text(fields.get("messengerType")))
    receipts = _receipts(fields.get("normalizedReceipts"))
    times = _times(receipts)
    return Delivery(
        message_id=message_id,
        channel=channel,
        status=vocabulary.from_messages(text(fields.get("status"), _LONGEST_STATUS) or "unknown"),
        created_at=parse_time(fields.get("timestamp")),
        sent_at=times.get("sent"),
        delivered_at=times.get("delivered"),
        read_at=times.get("read"),
        failed_at=times.get("failed"),
        error_code=_error_code(receipts),
        recipient=ledger_address(channel, text(fields.get("toAddress"), 320)),
        conversation_id=identifier(fields.get("conversationId")),
    )


def bulk_body(ids: Sequence[str]) -> bytes:
    """Return the JSON that asks for messages of one conversation."""
    return json.dumps(list(ids)).encode()


def parse_messages(body: object) -> list[Delivery]:
    """Return the messages of a bulk answer, without those that have no id.

    Raises PagingError for what is no such answer.
    """
    found = entities(body, "messages")
    return [parse_message(entity) for entity in found if identifier(mapping(entity).get("id"))]


def parse_conversation(body: object) -> list[str]:
    """Return the ids of the messages that went out in a conversation, the oldest first."""
    found: dict[str, str] = {}
    for details in _went_out(mapping(body).get("participants")):
        message_id, sent_at = identifier(details.get("messageId")), details.get("messageTime")
        if message_id is not None:
            moment = parse_time(sent_at)
            found.setdefault(message_id, moment.isoformat() if moment else "")
    return sorted(found, key=lambda message_id: (found[message_id], message_id))


def _content(message: OutboundMessage, *, templated: bool) -> dict[str, Any]:
    if not templated:
        return {"textBody": message.text}
    try:
        filled = FilledTemplate.parse(message.text)
    except ValueError as error:
        raise _unsendable(
            message,
            f"on {message.channel} the platform takes approved templates alone, and {error}. "
            "Write a template file that names a response, and plan the campaign again.",
        ) from None
    sections = {
        "headerParameters": filled.header,
        "bodyParameters": filled.body,
        "buttonUrlParameters": filled.button_url,
    }
    template: dict[str, Any] = {"responseId": filled.response_id}
    for name, values in sections.items():
        if values:
            template[name] = [{"id": key, "value": value} for key, value in values.items()]
    return {"messagingTemplate": template}


def _is_unicode(body: Mapping[str, Any]) -> bool:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _unsendable(message: OutboundMessage, why: str) -> RequestRejectedError:
    return RequestRejectedError(
        f"Message {message.message_key} of campaign {message.campaign_id} was not sent: {why}",
        status=400,
    )


def _receipts(value: object) -> Sequence[Mapping[str, Any]]:
    return [mapping(receipt) for receipt in value] if isinstance(value, list) else []


def _times(receipts: Sequence[Mapping[str, Any]]) -> dict[str, datetime]:
    """Return when each of our statuses was first reported."""
    found: dict[str, datetime] = {}
    for receipt in receipts:
        moment = parse_time(mapping(receipt.get("channel")).get("time"))
        if moment is not None:
            status = _status(receipt)
            found[status] = min(found.get(status, moment), moment)
    return found


def _error_code(receipts: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the reason of the failure that counts: the final one, else the last."""
    failed = [receipt for receipt in receipts if _status(receipt) not in _NO_FAILURE]
    final = [receipt for receipt in failed if receipt.get("isFinalReceipt") is True]
    for receipt in reversed([*failed, *final]):
        reasons = receipt.get("reasons")
        for reason in reasons if isinstance(reasons, list) else []:
            if code := text(mapping(reason).get("code")):
                return code
    return None


def _status(receipt: Mapping[str, Any]) -> str:
    return vocabulary.from_receipts(text(receipt.get("status"), _LONGEST_STATUS) or "")


def _went_out(participants: object) -> Iterator[Mapping[str, Any]]:
    for participant in participants if isinstance(participants, list) else []:
        fields = mapping(participant)
        messages = fields.get("messages")
        if fields.get("purpose") in _CUSTOMERS or not isinstance(messages, list):
            continue
        for details in map(mapping, messages):
            if vocabulary.from_messages(text(details.get("messageStatus")) or "") != "received":
                yield details
