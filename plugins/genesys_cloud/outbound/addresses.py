"""Addresses: from what a contact list holds to the form that goes on the wire, or why not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from genesys_cloud.outbound.channels import PROVIDERS, AddressKind, Channel
from genesys_cloud.outbound.phone import parse_phone
from genesys_cloud.outbound.violations import Violation

OPAQUE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@=/-]{0,127}\Z")
"""An id that a provider gave a person; no spaces, no control characters, bounded."""

CONTACT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
"""An external contact of Genesys Cloud: a UUID."""

BARE_NUMBER = re.compile(r"[0-9]{8,15}\Z")
"""A number of E.164 without its +."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A usable address in the ledger's form; `country` and `geographic` are a phone number's."""

    wire: str = field(repr=False)
    country: str | None = None
    geographic: bool = False


def parse_address(channel: Channel, text: str, profile: str = "messaging") -> Address | Violation:
    """Return the address that `text` is on `channel`, or why no message can go to it.

    The channel's own prefix may be there or not; another channel's prefix is a mismatch.
    """
    bare = strip_prefix(channel, text)
    if isinstance(bare, Violation):
        return bare
    if channel.kind is AddressKind.PHONE:
        phone = parse_phone(bare)
        if isinstance(phone, Violation):
            return phone
        return Address(
            wire=channel.prefix + phone.e164, country=phone.country, geographic=phone.geographic
        )
    if not bare:
        return Violation(code="address_missing", message="The address is missing.")
    return _parse_id(channel, bare, profile)


def _parse_id(channel: Channel, text: str, profile: str) -> Address | Violation:
    if channel.contacts and CONTACT_ID.match(lower := text.lower()):
        # Upper or lower case, it is one contact, in every profile: written to once, and not after
        # a STOP, which tells no profile.
        return Address(wire=channel.prefix + lower)
    if profile in channel.contacts:
        return Violation(code="address_malformed", message=_no_contact(channel))
    if not OPAQUE_ID.match(text):
        return Violation(code="address_malformed", message=_malformed(channel))
    return Address(wire=channel.prefix + text)


def with_plus(channel: Channel, text: str) -> str:
    """Return an address that the platform wrote, a number with the + that it may have left out.

    Not for what people type: theirs may be a number without its country code.
    """
    bare_number = channel.kind is AddressKind.PHONE and BARE_NUMBER.match(text)
    return f"+{text}" if bare_number else text


def strip_prefix(channel: Channel, text: str) -> str | Violation:
    """Return `text` trimmed and without the channel's own prefix."""
    trimmed = text.strip()
    head, colon, rest = trimmed.partition(":")
    word = head.strip().lower()
    if not colon or word not in PROVIDERS:
        return trimmed
    if word != channel.provider:
        return Violation(
            code="address_channel_mismatch",
            message=f"The address has the prefix {word}: but the campaign sends on {channel.name}. "
            "Use a list of addresses for this channel, or the channel of this list.",
        )
    return rest.strip()


def _malformed(channel: Channel) -> str:
    return (
        f"The address is not an id on {channel.name}: up to 128 letters, digits and . _ ~ @ = / - "
        "with a letter or digit first."
    )


def _no_contact(channel: Channel) -> str:
    return (
        f"The address is not the id of an external contact, which {channel.name} takes in the "
        "profile agentless: a UUID such as 5e7b11c2-5a0f-4f3e-9b1c-2f4c1f6b7a11."
    )
