"""The rules of a message before it leaves, all broken ones at once.

The sentences are the tutorial's, word for word where it gives them; what it left open follows them.
"""

from __future__ import annotations

import re

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.addresses import OPAQUE_ID, parse_address, strip_prefix
from genesys_cloud.outbound.channels import AddressKind, Channel, find_channel, text_length
from genesys_cloud.outbound.phone import E164_SHAPE, strip_separators
from genesys_cloud.outbound.violations import Violation

__all__ = ["Violation", "normalise_sender", "validate_message"]

SHORT_CODE = re.compile(r"[0-9]{3,8}\Z")

ADDRESSES = "Invalid from address or empty recipient list."


def validate_message(
    *,
    channel: str,
    text: str,
    consent: bool,
    sender: str,
    recipient: str,
    profile: str = "messaging",
) -> tuple[Violation, ...]:
    """Return every rule that a message breaks, in the tutorial's order; () when it may go out."""
    found = find_channel(channel, profile)
    if isinstance(found, Violation):
        return (found, *check_consent(consent), *_check_presence(sender, recipient))
    return (
        *check_text(found, text, profile),
        *check_consent(consent),
        *_check_presence(sender, recipient),
        *_check_addresses(found, sender, recipient, profile),
    )


def check_text(channel: Channel, text: str, profile: str) -> tuple[Violation, ...]:
    """Return what is wrong with a rendered text: blank, or over the channel's limit."""
    if not text.strip():
        return (Violation(code="text_empty", message="The message has no text."),)
    limit, length = channel.limit(profile), text_length(text)
    if limit is None or length <= limit:
        return ()
    message = f"Channel {channel.name} exceeds character limit of {limit}. Current length: {length}"
    return (Violation(code="text_too_long", message=message),)


def check_consent(consent: bool) -> tuple[Violation, ...]:
    """Return the violation of a message without verified consent."""
    if consent:
        return ()
    message = "Consent verification flag is missing or false. Delivery blocked for compliance."
    return (Violation(code="consent_not_verified", message=message),)


def parse_sender(channel: Channel, sender: str, profile: str) -> str | Violation:
    """Return the sender in its wire form, or why it is not one.

    Only the form is checked: which numbers an account owns is known in Genesys Cloud alone.
    """
    own_id = profile in channel.id_senders
    prefix = "" if own_id else channel.prefix
    bare = strip_prefix(channel, sender)
    if isinstance(bare, Violation):
        return _sender_form(channel, own_id=own_id)
    if own_id or channel.kind is AddressKind.OPAQUE:
        fits = bool(OPAQUE_ID.match(bare))
    else:
        bare = strip_separators(bare)
        short = channel.provider == "sms" and SHORT_CODE.match(bare)
        fits = bool(short or E164_SHAPE.match(bare))
    return prefix + bare if fits else _sender_form(channel, own_id=own_id)


def normalise_sender(channel: str, sender: str, profile: str = "messaging") -> str:
    """Return a campaign's sender in its wire form.

    Raises CampaignDefinitionError for a channel that the profile lacks and a sender in no usable
    form.
    """
    found = find_channel(channel, profile)
    wire = found if isinstance(found, Violation) else parse_sender(found, sender, profile)
    if isinstance(wire, Violation):
        raise CampaignDefinitionError(wire.message)
    return wire


def _check_presence(sender: str, recipient: str) -> tuple[Violation, ...]:
    missing = []
    if not sender.strip():
        message = f"{ADDRESSES} The sender is missing."
        missing.append(Violation(code="sender_missing", message=message))
    if not recipient.strip():
        message = f"{ADDRESSES} The recipient is missing."
        missing.append(Violation(code="recipient_missing", message=message))
    return tuple(missing)


def _check_addresses(
    channel: Channel, sender: str, recipient: str, profile: str
) -> tuple[Violation, ...]:
    wires: list[object] = []
    if sender.strip():
        wires.append(parse_sender(channel, sender, profile))
    if recipient.strip():
        wires.append(parse_address(channel, recipient))
    return tuple(wire for wire in wires if isinstance(wire, Violation))


def _sender_form(channel: Channel, *, own_id: bool) -> Violation:
    if own_id:
        form = "the id of its integration or deployment in Genesys Cloud"
    elif channel.kind is AddressKind.OPAQUE:
        form = f"an id of up to 128 characters, with or without {channel.prefix} before it"
    elif channel.prefix:
        form = f"a number in E.164 such as {channel.prefix}+12025550123"
    else:
        form = "a number in E.164 such as +12025550123, or a short code of 3 to 8 digits"
    return Violation(
        code="sender_form",
        message=f"{ADDRESSES} The sender of a campaign on {channel.name} is {form}.",
    )
