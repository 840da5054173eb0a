"""What each channel takes, and what is wrong with a message that is posted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's character limit in UTF-16 code units, and the form of its addresses."""

    limit: int
    sender: re.Pattern[str]
    recipient: re.Pattern[str]


def _channel(limit: int, recipient: str, sender: str | None = None) -> Channel:
    return Channel(limit, re.compile(sender or recipient), re.compile(recipient))


CHANNELS = {
    # A sender of SMS may also be a short code or an alphanumeric name.
    "messaging:sms": _channel(160, r"\+[1-9]\d{6,14}", r"\+[1-9]\d{6,14}|[A-Za-z0-9 ]{3,11}"),
    "messaging:whatsapp": _channel(1600, r"whatsapp:\+[1-9]\d{6,14}"),
    "messaging:facebook": _channel(64000, r"facebook:\S+"),
    "messaging:web": _channel(10000, r"web:\S+"),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a message."""

    code: str
    field: str
    message: str

    def as_detail(self) -> dict[str, str]:
        """Return the violation as an entry of an ErrorBody's details."""
        return {"errorCode": self.code, "fieldName": self.field, "message": self.message}


def length_of(text: str) -> int:
    """Return the length in UTF-16 code units, as the contract's own language counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def address_of(party: Any) -> str:
    """Return a party's address, or nothing when it has none."""
    address = party.get("address") if isinstance(party, dict) else None
    return address if isinstance(address, str) else ""


def text_of(payload: dict[str, Any]) -> str:
    """Return the text of a message, or nothing when it has none."""
    content = payload.get("content")
    text = content.get("text") if isinstance(content, dict) else None
    return text if isinstance(text, str) else ""


def violations(payload: dict[str, Any]) -> list[Violation]:
    """Return everything that is wrong with a message, in the order of its fields."""
    name = payload.get("channelType")
    channel = CHANNELS.get(name) if isinstance(name, str) else None
    if channel is None:
        unknown = Violation("invalid.channel", "channelType", f"Unsupported channelType: {name}")
        return [unknown, *_party_violations(payload, None), *_content_violations(payload, None)]
    return [*_party_violations(payload, channel), *_content_violations(payload, channel)]


def _party_violations(payload: dict[str, Any], channel: Channel | None) -> list[Violation]:
    sender, found = payload.get("from"), list[Violation]()
    if not address_of(sender):
        found.append(Violation("missing.value", "from.address", "Invalid from address."))
    elif channel and not channel.sender.fullmatch(address_of(sender)):
        found.append(_mismatch("from.address"))
    stated = sender.get("channelType") if isinstance(sender, dict) else None
    if channel and stated not in (None, payload["channelType"]):
        found.append(_mismatch("from.channelType"))
    return found + _recipient_violations(payload.get("to"), channel)


def _recipient_violations(to: Any, channel: Channel | None) -> list[Violation]:
    if not isinstance(to, list) or not to:
        return [Violation("missing.value", "to", "Empty recipient list.")]
    if len(to) > 1:
        message = f"A message has exactly one recipient, not {len(to)}."
        return [Violation("too.many.recipients", "to", message)]
    if channel and not channel.recipient.fullmatch(address_of(to[0])):
        return [_mismatch("to[0].address")]
    return []


def _content_violations(payload: dict[str, Any], channel: Channel | None) -> list[Violation]:
    found: list[Violation] = []
    text, content, metadata = text_of(payload), payload.get("content"), payload.get("metadata")
    if not text.strip():
        found.append(Violation("missing.value", "content.text", "The text is empty."))
    if isinstance(content, dict) and content.get("type", "text") != "text":
        found.append(Violation("invalid.value", "content.type", "The content type is not text."))
    if channel and (length := length_of(text)) > channel.limit:
        message = (
            f"Channel {payload['channelType']} exceeds character limit of {channel.limit}. "
            f"Current length: {length}"
        )
        found.append(Violation("character.limit.exceeded", "content.text", message))
    if not isinstance(metadata, dict) or metadata.get("consentVerified") is not True:
        message = "Consent verification flag is missing or false."
        found.append(Violation("consent.required", "metadata.consentVerified", message))
    return found


def _mismatch(field: str) -> Violation:
    return Violation("invalid.address", field, f"{field} does not match the channelType.")
