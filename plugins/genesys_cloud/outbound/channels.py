"""The channels, as one table: what each is called, how it addresses people, how much it carries.

Limits of the profile `messaging` are the tutorial's; those of `agentless` are Genesys Cloud's own
(API docs of POST /api/v2/conversations/messages/agentless: SMS 765 characters, others 2000). None,
or no entry, means that the profile does not send on the channel. The unit is UTF-16 code units, as
the tutorial's JavaScript `.length` counts: an emoji is two.

Every channel has one form of address in both profiles, prefix first, so that a suppression holds in
both; the profile `agentless` writes it on the wire as the platform wants it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from genesys_cloud.outbound.violations import Violation


class AddressKind(StrEnum):
    """What an address on a channel is: a phone number, or an id that only the provider reads."""

    PHONE = "phone"
    OPAQUE = "opaque"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One channel; `prefix` stands before an address in the ledger, '' where it stands alone.

    The rest says what differs between profiles. `most_segments` is how many SMS segments a text may
    take; `unserved` is why the profile can't send, where there is more to say than that. Then the
    profiles in which: the sender is an id that Genesys Cloud gave an integration or a deployment
    (`id_senders`); the recipient is an external contact, so that the id is a UUID (`contacts`); the
    content is an approved template (`templated`).
    """

    name: str
    provider: str
    kind: AddressKind
    prefix: str
    limits: Mapping[str, int | None] = field(hash=False)
    most_segments: Mapping[str, int] = field(default_factory=dict, hash=False)
    unserved: Mapping[str, str] = field(default_factory=dict, hash=False)
    id_senders: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    templated: frozenset[str] = frozenset()

    def limit(self, profile: str) -> int | None:
        """Return the most UTF-16 code units a text may have, None where it can't be sent."""
        return self.limits.get(profile)


def _table(channels: Iterable[Channel]) -> Mapping[str, Channel]:
    return MappingProxyType({channel.name: channel for channel in channels})


CHANNELS = _table(
    [
        Channel(
            name="messaging:sms",
            provider="sms",
            kind=AddressKind.PHONE,
            prefix="",
            limits={"messaging": 160, "agentless": 765},
            most_segments={"agentless": 5},
        ),
        Channel(
            name="messaging:whatsapp",
            provider="whatsapp",
            kind=AddressKind.PHONE,
            prefix="whatsapp:",
            limits={"messaging": 1600, "agentless": 2000},
            id_senders=frozenset({"agentless"}),
            templated=frozenset({"agentless"}),
        ),
        Channel(
            name="messaging:facebook",
            provider="facebook",
            kind=AddressKind.OPAQUE,
            prefix="facebook:",
            limits={"messaging": 64000, "agentless": None},
            unserved={
                "agentless": "Genesys Cloud has no agentless route to Facebook, only one within a "
                "conversation"
            },
        ),
        Channel(
            name="messaging:web",
            provider="web",
            kind=AddressKind.OPAQUE,
            prefix="web:",
            limits={"messaging": 10000, "agentless": 2000},
            id_senders=frozenset({"agentless"}),
            contacts=frozenset({"agentless"}),
        ),
        Channel(
            name="messaging:open",
            provider="open",
            kind=AddressKind.OPAQUE,
            prefix="open:",
            limits={"messaging": None, "agentless": 2000},
            id_senders=frozenset({"agentless"}),
        ),
        Channel(
            name="messaging:apple",
            provider="apple",
            kind=AddressKind.PHONE,
            prefix="apple:",
            limits={"messaging": None, "agentless": 2000},
            id_senders=frozenset({"agentless"}),
        ),
    ]
)

PROVIDERS = frozenset(channel.provider for channel in CHANNELS.values())
"""The provider words: address prefixes, and channel suffixes of template files."""


def find_channel(name: str, profile: str) -> Channel | Violation:
    """Return the channel called `name`, or why `profile` does not send on it."""
    channel = CHANNELS.get(name)
    if channel is not None and channel.limit(profile) is not None:
        return channel
    message = f"Unsupported channelType: {name}"
    if channel is not None:
        usable = ", ".join(c.name for c in CHANNELS.values() if c.limit(profile) is not None)
        why = channel.unserved.get(profile, f"The profile {profile} does not send on this channel")
        message += f". {why}; use one of {usable}."
    return Violation(code="channel_unsupported", message=message)


def templated(provider: str, profile: str) -> bool:
    """Say whether `profile` sends nothing but approved templates on the channel of a provider."""
    return any(
        channel.provider == provider and profile in channel.templated
        for channel in CHANNELS.values()
    )


def text_length(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
