"""Addresses of the `agentless` profile: the ledger's form into the platform's, and back."""

from __future__ import annotations

from dataclasses import dataclass

from genesys_cloud.outbound.addresses import BARE_NUMBER


@dataclass(frozen=True, kw_only=True)
class Addressing:
    """How one channel addresses people there.

    `prefix` stands before an address in the ledger; `plus` is what the platform leaves out of a
    number, and where `numbers` is set, may leave out. `recipient_field` is where the request names
    the recipient; a `templated` channel carries approved templates alone.
    """

    messenger_type: str
    prefix: str = ""
    plus: str = ""
    numbers: bool = False
    recipient_field: str = "toAddress"
    templated: bool = False

    def sender(self, address: str) -> str:
        """Return the sender as the platform has it: a number, or an integration's id."""
        return address.removeprefix(self.prefix)

    def recipient(self, address: str) -> str:
        """Return the recipient as the platform has it."""
        return address.removeprefix(self.prefix).removeprefix(self.plus)

    def ledger_form(self, address: str) -> str:
        """Return the platform's address as the ledger keeps it."""
        if self.numbers and BARE_NUMBER.match(address):
            address = f"+{address}"
        return f"{self.prefix}{self.plus}{address.removeprefix(self.plus)}"


ADDRESSING = {
    "messaging:sms": Addressing(messenger_type="sms", numbers=True),
    "messaging:whatsapp": Addressing(
        messenger_type="whatsapp", prefix="whatsapp:", plus="+", templated=True
    ),
    "messaging:open": Addressing(messenger_type="open", prefix="open:"),
    "messaging:web": Addressing(
        messenger_type="webmessaging", prefix="web:", recipient_field="externalContactId"
    ),
    "messaging:apple": Addressing(messenger_type="apple", prefix="apple:", numbers=True),
}
"""Our channels on which the platform sends without an agent; there is no way to Facebook."""

_CHANNELS = {way.messenger_type: channel for channel, way in ADDRESSING.items()}


def channel_of(messenger_type: str | None) -> str:
    """Return our channel for a messenger type, whatever its case; `unknown` where there is none.

    A type that we don't send on, such as facebook, becomes a channel of that name.
    """
    if messenger_type is None:
        return "unknown"
    word = messenger_type.lower()
    return _CHANNELS.get(word, f"messaging:{word}")


def ledger_address(channel: str, address: str | None) -> str | None:
    """Return an address of the platform in the ledger's form, as it is on a channel unknown."""
    way = ADDRESSING.get(channel)
    return address if way is None or address is None else way.ledger_form(address)
