"""The addresses that campaigns send from: data, in include/senders.toml.

The list is what the form offers. A sender that is not on it may be used: which addresses an account
owns is known in Genesys Cloud alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.channels import CHANNELS

FIELDS = ("channel", "address", "label")


@dataclass(frozen=True, kw_only=True)
class Sender:
    """An address that one may send from on a channel; `label` is what people call it."""

    channel: str
    address: str
    label: str


def parse_senders(text: str) -> tuple[Sender, ...]:
    """Read a list of senders; raises ValueError, with a sentence, for what is not clear."""
    table = tomllib.loads(text)
    rows = table.pop("senders", [])
    if table or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("It holds something else than [[senders]], written once for each.")
    found = tuple(_sender(row, number) for number, row in enumerate(rows, start=1))
    seen: set[tuple[str, str]] = set()
    for sender in found:
        if (sender.channel, sender.address) in seen:
            raise ValueError(f"{sender.address} is there twice for {sender.channel}.")
        seen.add((sender.channel, sender.address))
    return found


def check_sender(senders: Sequence[Sender], address: str, channel: str) -> None:
    """Raise CampaignDefinitionError for a sender that is listed, but for other channels only.

    A bare number is taken for any: it gets its channel's prefix when it is planned.
    """
    listed = [sender.channel for sender in senders if sender.address == address.strip()]
    if listed and channel not in listed and not address.strip().startswith("+"):
        own = ", ".join(each.address for each in senders if each.channel == channel)
        raise CampaignDefinitionError(
            f"The sender {address!r} is for {', '.join(listed)}, and the channel is {channel}. "
            f"Choose one of {channel} ({own or 'include/senders.toml has none'}), or the other "
            "channel."
        )


def _sender(row: dict[str, object], number: int) -> Sender:
    where = f"sender {number}"
    if set(row) != set(FIELDS):
        raise ValueError(f"{where.capitalize()} needs {', '.join(FIELDS)}, and nothing else.")
    values = {name: value for name, value in row.items() if isinstance(value, str)}
    empty = [name for name in FIELDS if not values.get(name, "").strip()]
    if empty:
        raise ValueError(f"`{empty[0]}` of {where} is no text.")
    if values["channel"] not in CHANNELS:
        raise ValueError(
            f"`channel` of {where} is {values['channel']!r}; use one of "
            f"{', '.join(sorted(CHANNELS))}."
        )
    if not all(value.isprintable() for value in values.values()):
        raise ValueError(f"A text of {where} holds a line break or a control character.")
    return Sender(**{name: value.strip() for name, value in values.items()})
