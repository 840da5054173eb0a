"""Addresses: from what a contact list holds to the form that goes on the wire, or why not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from genesys_cloud.outbound.channels import PROVIDERS, AddressKind, Channel
from genesys_cloud.outbound.phone import parse_phone
from genesys_cloud.outbound.violations import Violation

OPAQUE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@=/-]{0,127}\Z")
"""An id that a provider gave a person; no spaces, no control characters, bounded."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A usable address: its wire form, and the number's country where it is a phone number."""

    wire: str = field(repr=False)
    country: str | None = None


def parse_address(channel: Channel, text: str) -> Address | Violation:
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
        return Address(wire=channel.prefix + phone.e164, country=phone.country)
    if not bare:
        return Violation(code="address_missing", message="The address is missing.")
    if not OPAQUE_ID.match(bare):
        return Violation(code="address_malformed", message=_malformed(channel))
    return Address(wire=channel.prefix + bare)


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
