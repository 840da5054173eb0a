"""The rules of a message before it leaves, all broken ones at once.

The sentences are the tutorial's, word for word where it gives them; what it left open follows them.
"""

from __future__ import annotations

import re

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound import segments
from genesys_cloud.outbound.addresses import OPAQUE_ID, parse_address, strip_prefix
from genesys_cloud.outbound.channels import AddressKind, Channel, find_channel, text_length
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.phone import E164_SHAPE, strip_separators
from genesys_cloud.outbound.violations import Violation

__all__ = ["Violation", "normalise_sender", "validate_message"]

SHORT_CODE = re.compile(r"[0-9]{3,8}\Z")

FORCING_SHOWN = 5
"""How many of the characters that make an SMS a UCS-2 one are named."""

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


def check_text(
    channel: Channel, text: str, profile: str, max_segments: int | None = None
) -> tuple[Violation, ...]:
    """Return what is wrong with a rendered text: blank, or over one of the channel's limits.

    `max_segments` is the campaign's own limit, None where it has none; both hold.
    """
    if not text.strip():
        return (Violation(code="text_empty", message="The message has no text."),)
    if profile in channel.templated:
        return _check_filled(channel, text)
    return (
        *_check_length(channel, text, profile),
        *_check_segments(channel, text, profile, max_segments),
    )


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


def _check_length(channel: Channel, text: str, profile: str) -> tuple[Violation, ...]:
    limit, length = channel.limit(profile), text_length(text)
    if limit is None or length <= limit:
        return ()
    message = f"Channel {channel.name} exceeds character limit of {limit}. Current length: {length}"
    return (Violation(code="text_too_long", message=message),)


def _check_segments(
    channel: Channel, text: str, profile: str, own: int | None
) -> tuple[Violation, ...]:
    limit = channel.most_segments.get(profile)
    if channel.provider != "sms" or (limit is None and own is None):
        return ()
    taken = segments.count(text)
    if own is not None and (limit is None or own < limit):
        who, most = "the campaign", own
    else:
        who, most = "Genesys Cloud", limit or 0
    if taken.segments <= most:
        return ()
    because = ""
    if taken.forcing:
        shown = ", ".join(_character(one) for one in taken.forcing[:FORCING_SHOWN])
        more = " and others" if len(taken.forcing) > FORCING_SHOWN else ""
        because = f", because of {shown}{more}"
    message = (
        f"The text takes {taken.segments} SMS segments in {taken.encoding}{because}; {who} "
        f"takes at most {most}. Shorten it, or keep to the characters of GSM-7."
    )
    return (Violation(code="too_many_segments", message=message),)


def _check_filled(channel: Channel, text: str) -> tuple[Violation, ...]:
    try:
        FilledTemplate.parse(text)
    except ValueError:
        message = f"{channel.name} takes approved templates only, outside a conversation."
        return (Violation(code="template_not_approved", message=message),)
    return ()


def _character(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{character} ({code})" if character.isprintable() else code


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
        wires.append(parse_address(channel, recipient, profile))
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
