"""How far a suppression reaches: one channel, or the person wherever they can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from genesys_cloud.outbound.addresses import Address, parse_address
from genesys_cloud.outbound.channels import CHANNELS, AddressKind, Channel
from genesys_cloud.outbound.violations import Violation


class Scope(StrEnum):
    """Where a suppression holds."""

    CHANNEL = "channel"
    EVERYWHERE = "everywhere"


_NUMBER = next(one for one in CHANNELS.values() if one.kind is AddressKind.PHONE)
_BY_PROVIDER = {one.provider: one for one in CHANNELS.values()}


def same_person(channel: str, wire: str) -> Mapping[str, str]:
    """Return the person's addresses in the ledger's form, by channel.

    A phone number is one person's on every channel with numbers; an id is its provider's alone.
    """
    own = CHANNELS.get(channel)
    if own is None or own.kind is not AddressKind.PHONE:
        return {channel: wire}
    number = wire.removeprefix(own.prefix)
    phones = (one for one in CHANNELS.values() if one.kind is AddressKind.PHONE)
    return {one.name: one.prefix + number for one in phones}


def parse_person(text: str) -> tuple[Channel, Address] | Violation:
    """Return a channel of the person whose address is `text`, with the address there, or why not.

    Without a provider's prefix it is a number.
    """
    word = text.strip().partition(":")[0].strip().lower() if ":" in text else ""
    channel = _BY_PROVIDER.get(word, _NUMBER)
    address = parse_address(channel, text)
    return (channel, address) if isinstance(address, Address) else address
