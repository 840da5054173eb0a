"""The `messaging` profile: the contract of the tutorial that this project grew from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urlencode

from genesys_cloud.api.profiles.fields import (
    LONGEST_ID,
    entities,
    has_more,
    identifier,
    instant,
    mapping,
    parse_time,
    text,
)
from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage, Receipt
from genesys_cloud.outbound.status import StatusEvent

MESSAGES = "/api/v2/messaging/messages"
PAGE_SIZE = 100

EVENT = "messaging:messages:updated"
STATUS_EVENTS = frozenset({EVENT})
"""The kinds of event that report a status; a kind is added here."""

LONGEST_STATUS = 64

_ID = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
EVENT_SCHEMA = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "id": {"anyOf": [_ID, {"type": "integer"}, {"type": "null"}]},
        "type": {"enum": [None, *sorted(STATUS_EVENTS)]},
        "data": {
            "type": "object",
            "required": ["messageId", "status", "timestamp"],
            "properties": {
                "messageId": _ID,
                "status": {"type": "string", "minLength": 1, "maxLength": LONGEST_STATUS},
                "timestamp": {"type": "string", "format": "date-time"},
            },
        },
    },
}
"""A status event as JSON schema; `parse_event` decides."""


def send_body(message: OutboundMessage) -> bytes:
    """Return the JSON of a message; raises RequestRejectedError for text that is no Unicode."""
    body = {
        "channelType": message.channel,
        "from": {
            "address": message.sender,
            "provider": message.channel.partition(":")[2],
            "channelType": message.channel,
        },
        "to": [{"address": message.recipient}],
        "content": {"type": "text", "text": message.text},
        "metadata": {
            "consentVerified": message.consent_verified,
            "campaignId": message.campaign_id,
            "messageKey": message.message_key,
        },
    }
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise RequestRejectedError(
            f"Message {message.message_key} of campaign {message.campaign_id} was not sent: its "
            "text holds half of a surrogate pair, which no JSON can carry. Mend the template or "
            "the contact list.",
            status=400,
        ) from None


def parse_receipt(body: object) -> Receipt | None:
    """Return the receipt in the answer to a send, None where there is no message id in it."""
    fields = mapping(body)
    message_id = identifier(fields.get("id"))
    if message_id is None:
        return None
    return Receipt(message_id=message_id, status=text(fields.get("status")) or "queued")


def message_path(message_id: str) -> str:
    """Return the path of one message."""
    return f"{MESSAGES}/{quote(message_id, safe='')}"


def list_path(start: datetime, end: datetime, statuses: Iterable[str], number: int) -> str:
    """Return path and query of one page of the messages created from start to end.

    All statuses are listed where none is named. Times are written to the millisecond, in UTC.
    """
    query: dict[str, str | int] = {}
    if named := ",".join(statuses):
        query["status"] = named
    query["createdDate"] = f"{instant(start)},{instant(end)}"
    query |= {"pageSize": PAGE_SIZE, "pageNumber": number}
    return f"{MESSAGES}?{urlencode(query, safe=',:')}"


def parse_page(body: object, number: int) -> DeliveryPage:
    """Return a page of deliveries; raises PagingError for what is no page."""
    found = [parse_delivery(entity) for entity in entities(body, "messages")]
    total = mapping(body).get("total")
    return DeliveryPage(
        number=number,
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        deliveries=found,
        has_more=has_more(body, len(found), PAGE_SIZE),
    )


def parse_delivery(entity: object) -> Delivery:
    """Return the delivery that an entity describes; raises PagingError for one without an id.

    A time that is missing or unreadable is None; a status that we don't know stays as it is.
    """
    fields = mapping(entity)
    message_id = identifier(fields.get("id"))
    if message_id is None:
        raise PagingError("The list of messages holds an entity without an id: it can't be counted")
    to, metadata = fields.get("to"), mapping(fields.get("metadata"))
    recipient = mapping(to[0]).get("address") if isinstance(to, list) and to else None
    return Delivery(
        message_id=message_id,
        channel=text(fields.get("channelType")) or "unknown",
        status=text(fields.get("status"), LONGEST_STATUS) or "unknown",
        created_at=parse_time(fields.get("createdDate")),
        sent_at=parse_time(fields.get("sentDate")),
        delivered_at=parse_time(fields.get("deliveredDate")),
        read_at=parse_time(fields.get("readDate")),
        failed_at=parse_time(fields.get("failedDate")),
        error_code=text(fields.get("errorCode")),
        recipient=text(recipient, 320),
        message_key=text(metadata.get("messageKey")),
        campaign_id=text(metadata.get("campaignId")),
    )


def parse_event(payload: object) -> StatusEvent:
    """Return the status event in a webhook's payload; raises ValueError saying why it is none."""
    fields = mapping(payload)
    data = mapping(fields.get("data"))
    if fields.get("type") not in [None, *STATUS_EVENTS]:
        raise ValueError(f"not a status event: its type is not {EVENT}")
    message_id = identifier(data.get("messageId"))
    status = identifier(data.get("status"), LONGEST_STATUS)
    occurred_at = parse_time(data.get("timestamp"))
    if message_id is None or status is None:
        raise ValueError("not a status event: data.messageId or data.status is missing or no id")
    if occurred_at is None:
        raise ValueError("not a status event: data.timestamp is missing or no time with an offset")
    return StatusEvent(
        event_id=_event_id(fields.get("id"), f"{message_id}:{status}:{data['timestamp']}"),
        message_id=message_id,
        status=status,
        occurred_at=occurred_at,
    )


def _event_id(given: object, composite: str) -> str:
    # The tutorial's own rule for a sender that numbers nothing: the event's content names it.
    if given is None or given == "":
        return composite
    event_id = identifier(str(given) if type(given) is int else given)
    if event_id is None:
        raise ValueError(f"not a status event: its id is no text of 1 to {LONGEST_ID} characters")
    return event_id
