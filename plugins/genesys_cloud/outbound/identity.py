"""Whose data: one person's address in every form in which it may have been kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import phonenumbers

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.addresses import Address, parse_address
from genesys_cloud.outbound.channels import CHANNELS, PROVIDERS, AddressKind, Channel
from genesys_cloud.outbound.phone import E164_SHAPE, SEPARATORS, strip_separators

SHORTEST_QUOTED_ID = 8
"""A shorter id without its channel's prefix may be any word of a text."""

_SEPARATOR = f"[{re.escape(''.join(map(chr, SEPARATORS)))}]*"
_LOOKS_LIKE_A_NUMBER = re.compile(r"\+|[0-9]+\Z")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One person by one address.

    `wires` are its wire forms by channel. `needle` is what every spelling holds once it is spelled
    `plainly`: without the characters that people put between digits, where that is so. `narrowed`
    is whether only messages on these channels are meant.
    """

    wires: Mapping[str, str] = field(repr=False)
    needle: str = field(repr=False)
    plainly: bool
    pattern: re.Pattern[str] = field(repr=False)
    narrowed: bool = False

    def quoted_in(self, text: str | None) -> bool:
        """Whether a text holds the address, in any spelling."""
        return bool(text) and self.pattern.search(text or "") is not None

    def masked(self, text: str) -> str:
        """Return a text without the address, in whatever spelling it stands there."""
        return self.pattern.sub("…", text)


def identify(text: str, channel: str | None = None) -> Identity:
    """Return the person whose address is `text`, on one channel or on all that it can be of.

    A phone number is one person's on SMS and on WhatsApp. A number that no plan has is taken too,
    for a contact list may have held it. Raises CampaignDefinitionError for what is no address.
    """
    channels = _channels(text, channel)
    if channels[0].kind is AddressKind.PHONE:
        return _by_number(text, channels, narrowed=channel is not None)
    return _by_id(text, channels, narrowed=channel is not None)


def _channels(text: str, name: str | None) -> list[Channel]:
    if name is not None:
        if name not in CHANNELS:
            raise CampaignDefinitionError(
                f"There is no channel {name!r}; use one of {', '.join(sorted(CHANNELS))}."
            )
        return [CHANNELS[name]]
    word = text.strip().partition(":")[0].strip().lower() if ":" in text else ""
    of_word = [one for one in CHANNELS.values() if one.provider == word]
    if of_word and of_word[0].kind is AddressKind.OPAQUE:
        return of_word
    number = word in PROVIDERS or _LOOKS_LIKE_A_NUMBER.match(strip_separators(text.strip()))
    kind = AddressKind.PHONE if number else AddressKind.OPAQUE
    return [one for one in CHANNELS.values() if one.kind is kind]


def _by_number(text: str, channels: list[Channel], *, narrowed: bool) -> Identity:
    bare = text.strip()
    head, colon, rest = bare.partition(":")
    if colon and head.strip().lower() in {one.provider for one in channels}:
        bare = rest
    e164 = strip_separators(bare.strip())
    if not E164_SHAPE.match(e164):
        raise CampaignDefinitionError(
            "The address is not a number in E.164: write + and the country code first, then digits "
            "only, such as +12025550123. An id of Facebook, web or open messaging that is all "
            "digits needs its prefix (facebook:…) or --channel."
        )
    digits, national = e164[1:], _national(e164)
    spelled = _SEPARATOR.join(digits)
    alone = _SEPARATOR.join(national)
    abroad = rf"(?:(?:\+|00|011){_SEPARATOR})?"
    # A national number is this one's only where it stands alone: in a text it may be anything.
    local = rf"\A\s*(?:[a-z]+:)?{_SEPARATOR}0?{_SEPARATOR}{alone}{_SEPARATOR}\Z"
    pattern = rf"(?<![0-9]){abroad}{spelled}(?![0-9])|{local}"
    return Identity(
        wires={one.name: one.prefix + e164 for one in channels},
        needle=national,
        plainly=True,
        pattern=re.compile(pattern),
        narrowed=narrowed,
    )


def _national(e164: str) -> str:
    """Return a number without its country code; all digits where that can't be told apart."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(e164, None))
    except phonenumbers.NumberParseException:
        return e164[1:]


def _by_id(text: str, channels: list[Channel], *, narrowed: bool) -> Identity:
    wires: dict[str, str] = {}
    refusals: list[str] = []
    bare = ""
    for one in channels:
        parsed = parse_address(one, text)
        if isinstance(parsed, Address):
            wires[one.name] = parsed.wire
            bare = parsed.wire.removeprefix(one.prefix)
        else:
            refusals.append(parsed.message)
    if not wires:
        raise CampaignDefinitionError(f"That is nobody's address: {refusals[0]}")
    prefixes = "|".join(re.escape(CHANNELS[name].prefix) for name in wires)
    optional = "?" if len(bare) >= SHORTEST_QUOTED_ID else ""
    pattern = rf"(?<![\w.~@=/-])(?:{prefixes}){optional}{re.escape(bare)}(?![\w~@=/-])"
    return Identity(
        wires=wires,
        needle=bare,
        plainly=False,
        pattern=re.compile(pattern),
        narrowed=narrowed,
    )
