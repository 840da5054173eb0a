"""What the real platform pushes, in its several envelopes, as our events.

Sources: EventBridge and process-automation topics (the official SDK's notification topic models),
the Open Messaging webhook, and one form of our own, which a data action posts for an inbound
message. Analytics topics name a conversation and no message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from genesys_cloud.api.profiles import vocabulary
from genesys_cloud.api.profiles.addressing import channel_of, ledger_address
from genesys_cloud.api.profiles.fields import LONGEST_ID, identifier, mapping, parse_time, text
from genesys_cloud.api.profiles.messaging import LONGEST_STATUS
from genesys_cloud.outbound.addresses import Address, parse_address
from genesys_cloud.outbound.channels import CHANNELS
from genesys_cloud.outbound.messages import mask_numbers
from genesys_cloud.outbound.opt_outs import InboundMessage
from genesys_cloud.outbound.status import Status, StatusEvent, about_conversation

Parsed = StatusEvent | InboundMessage

METRICS_TOPIC = "v2.analytics.conversation.{id}.metrics"
POST_CONTACT_TOPIC = "v2.outbound.messaging.campaigns.contact.postContact"
UNDELIVERED_TOPIC = "v2.webmessaging.deployments.{id}.undelivered.messages"

INBOUND = "inbound_message"
"""The `kind` of our own form."""

LONGEST_CONVERSATION = LONGEST_ID - len(about_conversation(""))
_LONGEST_REASON = 64
_EPOCH_MS = re.compile(r"[0-9]{9,15}")
"""Milliseconds as text; with eight digits it could be a date."""

_OURS = frozenset({"", "api", "campaign", "dialer", "outbound"})
"""Purposes of those who send without a person; an agent's own message is none of ours."""

_WRAP_UPS = {"OUTBOUND_MESSAGE_SENT": "sent", "OUTBOUND_MESSAGE_FAILED": "failed"}
OPEN_TYPES = frozenset({"Text", "Structured", "Receipt", "Event"})
_NO_STEP = frozenset({"received", "removed"})


class UnknownFormError(ValueError):
    """The payload has none of the forms that are known here."""


def parse(payload: object) -> Sequence[Parsed]:
    """Return the events in a push, none where there is nothing to count in it.

    Raises UnknownFormError, or ValueError saying what is missing in a form that is known.
    """
    fields = mapping(payload)
    if "detail" in fields:
        return _envelope(fields)
    if fields.get("kind") == INBOUND:
        return [_inbound(fields)]
    if isinstance(fields.get("channel"), dict) and text(fields.get("type")) in OPEN_TYPES:
        return _open(fields)
    if "topicName" in fields:
        return _about(fields["topicName"], mapping(fields.get("eventBody")), None)
    for names, read in _BARE:
        if names <= fields.keys():
            return read(fields, None)
    raise UnknownFormError("not a status event in any form that is known here")


def _envelope(fields: Mapping[str, Any]) -> Sequence[Parsed]:
    """Read an EventBridge event; its id is the event's."""
    detail = mapping(fields["detail"])
    topic = detail.get("topicName") or fields.get("detail-type")
    event_id = identifier(fields.get("id"))
    if event_id is None:
        _refuse("an EventBridge event", "id")
    return _about(topic, mapping(detail.get("eventBody")), event_id)


def _about(topic: object, body: Mapping[str, Any], event_id: str | None) -> Sequence[Parsed]:
    if not isinstance(topic, str):
        _refuse("an event of the platform", "topicName")
    for pattern, read in _TOPICS:
        if pattern.fullmatch(topic):
            return read(body, event_id)
    return ()


def _metric(body: Mapping[str, Any], event_id: str | None) -> Sequence[Parsed]:
    """Read a metric of a conversation; most have nothing to do with a delivery."""
    word = identifier(body.get("deliveryStatus"), LONGEST_STATUS)
    purpose, direction = (text(body.get(name)) or "" for name in ("purpose", "direction"))
    if word is None or purpose.lower() not in _OURS or direction.lower() == "inbound":
        return ()
    reason = text(body.get("extendedDeliveryStatus")) or text(body.get("errorCode"))
    return _conversation_event(
        body,
        "metricDate",
        status=vocabulary.from_analytics(word),
        event_id=event_id or identifier(body.get("recordId")),
        reason=reason,
    )


def _post_contact(body: Mapping[str, Any], event_id: str | None) -> Sequence[Parsed]:
    """Read how the platform's own campaign handed a message over."""
    word = text(body.get("wrapupCode")) or ""
    status = _WRAP_UPS.get(word)
    if status is None:
        return ()
    return _conversation_event(body, "eventTime", status=status, event_id=event_id, reason=word)


def _undelivered(body: Mapping[str, Any], event_id: str | None) -> Sequence[Parsed]:
    """Read which messages a web visitor did not get."""
    listed = body.get("messages")
    members = [mapping(one) for one in listed] if isinstance(listed, list) else []
    if not members:
        return _conversation_event(body, "eventTimeMs", status="failed", event_id=event_id)
    found: list[Parsed] = []
    for member in members:
        message_id = identifier(member.get("id"))
        at = _moment(member.get("eventTimeMs")) or _moment(body.get("eventTimeMs"))
        if message_id is None or at is None:
            _refuse("an event about undelivered messages", "messages[].id or eventTimeMs")
        found.append(_status(message_id, "failed", at, event_id=None))
    return found


def _open(fields: Mapping[str, Any]) -> Sequence[Parsed]:
    """Read what an Open Messaging integration hands us as the carrier, or a receipt."""
    if fields["type"] == "Event" or fields.get("direction") == "Inbound":
        return ()
    channel = mapping(fields["channel"])
    message_id = identifier(fields.get("id")) or identifier(channel.get("messageId"))
    at = _moment(channel.get("time"))
    if message_id is None or at is None:
        _refuse("a message of Open Messaging", "id or channel.time")
    if fields["type"] != "Receipt":
        return [_status(message_id, "sent", at)]
    word = identifier(fields.get("status"), LONGEST_STATUS)
    if word is None:
        _refuse("a receipt of Open Messaging", "status")
    status = vocabulary.from_receipts(word)
    reasons = fields.get("reasons")
    codes = [text(mapping(one).get("code")) for one in reasons] if isinstance(reasons, list) else []
    reason = next((code for code in codes if code), None)
    return [] if status in _NO_STEP else [_status(message_id, status, at, reason=reason)]


def _inbound(fields: Mapping[str, Any]) -> InboundMessage:
    """Read a person's own message, in our form."""
    what = "an inbound message"
    name = text(fields.get("channel")) or ""
    channel = CHANNELS.get(name) or CHANNELS.get(channel_of(name))
    event_id, at = identifier(fields.get("id")), _moment(fields.get("timestamp"))
    if event_id is None or at is None:
        _refuse(what, "id or timestamp")
    if channel is None:
        _refuse(what, "channel")
    sender = (text(fields.get("from"), 320) or "").removeprefix("tel:").strip()
    address = parse_address(channel, ledger_address(channel.name, sender) or "")
    if not isinstance(address, Address):
        raise ValueError(f"not {what} of a person: {address.message}")
    content = fields.get("text")
    return InboundMessage(
        event_id=event_id,
        conversation_id=identifier(fields.get("conversationId"), LONGEST_CONVERSATION),
        channel=channel.name,
        address=address.wire,
        text=content if isinstance(content, str) else "",
        occurred_at=at,
    )


def _conversation_event(
    body: Mapping[str, Any],
    time_field: str,
    *,
    status: str,
    event_id: str | None,
    reason: str | None = None,
) -> Sequence[Parsed]:
    conversation = identifier(body.get("conversationId"), LONGEST_CONVERSATION)
    at = _moment(body.get(time_field))
    if conversation is None or at is None:
        _refuse("an event about a conversation", f"conversationId or {time_field}")
    if status in _NO_STEP:
        return ()
    subject = about_conversation(conversation)
    return [_status(subject, status, at, event_id=event_id, reason=reason)]


def _status(
    message_id: str,
    status: str,
    at: datetime,
    *,
    event_id: str | None = None,
    reason: str | None = None,
) -> StatusEvent:
    # Providers quote numbers in their reasons.
    code = mask_numbers(reason)[:_LONGEST_REASON] if reason else None
    return StatusEvent(
        event_id=event_id or f"{message_id}:{status}:{at.isoformat()}",
        message_id=message_id,
        status=status,
        occurred_at=at,
        reason_code=code if status == Status.FAILED.word else None,
    )


def _moment(value: object) -> datetime | None:
    """Return a time in ISO 8601 or in milliseconds since 1970, None for anything else."""
    if isinstance(value, str) and _EPOCH_MS.fullmatch(value):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            # Infinity is an OverflowError here, and what is no number a ValueError.
            return datetime.fromtimestamp(value / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return parse_time(value)


def _refuse(what: str, names: str) -> NoReturn:
    raise ValueError(f"not {what}: {names} is missing or not as the platform has it")


_Read = Callable[[Mapping[str, Any], str | None], Sequence[Parsed]]


def _pattern(topic: str) -> re.Pattern[str]:
    return re.compile(re.escape(topic).replace(re.escape("{id}"), r"[^.]+"))


_TOPICS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (_pattern(METRICS_TOPIC), _metric),
    # WhatsApp and e-mail have topics of their own, which differ by a word in the middle.
    (re.compile(r"v2\.outbound\.messaging\.campaigns\.(?:\w+\.)*postContact"), _post_contact),
    (_pattern(UNDELIVERED_TOPIC), _undelivered),
)
_BARE: tuple[tuple[frozenset[str], _Read], ...] = (
    (frozenset({"conversationId", "metric", "metricDate"}), _metric),
    (frozenset({"conversationId", "wrapupCode", "eventTime"}), _post_contact),
    (frozenset({"conversationId", "deploymentId", "messages"}), _undelivered),
)
"""The fields by which an event is known that comes without its topic."""
