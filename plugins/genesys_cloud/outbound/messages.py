"""A message to one recipient: its key, its states, and the form in which it is sent."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum

_ID = r"(?<![\w-])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})(?![\w-])"
"""A UUID or a SHA-256: what support asks for, and our own keys."""

_NUMBER = re.compile(
    rf"(?P<id>{_ID})|(?<![\d-])(?!\d{{4}}-\d\d-\d\d(?!\d))\+?\d(?:[ ().-]{{0,2}}\d){{6,}}"
)
"""What may be a phone number, and is no date, in a text that somebody typed or a server wrote; or
an id, which is none."""


class State(StrEnum):
    """Where a recipient of a campaign stands before Genesys reports statuses."""

    PLANNED = "planned"
    BLOCKED = "blocked"
    HELD = "held"
    CLAIMED = "claimed"
    ATTEMPTING = "attempting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


IN_FLIGHT = frozenset({State.CLAIMED, State.ATTEMPTING})
"""A worker owns the message under a lease."""

WAITING = frozenset({State.PLANNED, State.HELD})
"""Nobody has touched the message: it may still be planned anew, blocked or cancelled."""

OPEN = frozenset({State.PLANNED}) | IN_FLIGHT
"""A send task still has work here; a finished run has none of these."""


@dataclass(frozen=True, kw_only=True)
class OutboundMessage:
    """What a send needs to know: `recipient` and `sender` are addresses in the ledger's form.

    With `use_active_conversation` the message goes into the conversation that the recipient may be
    having, where the profile `agentless` would refuse it otherwise.
    """

    message_key: str
    campaign_id: str
    channel: str
    sender: str
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    consent_verified: bool
    use_active_conversation: bool = False

    @property
    def hidden(self) -> tuple[str, ...]:
        """The parts that no error message may repeat, should a server do so."""
        bare = self.recipient.rpartition(":")[2]
        return self.text, self.recipient, bare, bare.removeprefix("+")


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Genesys accepted a message: its id there, and the status it starts with.

    `conversation_id` is None in a profile without conversations.
    `pause_s` is how many seconds the account's limit leaves nothing more, None where it does.
    """

    message_id: str
    status: str
    conversation_id: str | None = None
    pause_s: float | None = None


def message_key(
    *, campaign_id: str, occurrence: str, recipient_id: str, channel: str, address: str
) -> str:
    """Return the hex digest that names one message of one occurrence of a campaign.

    The parts are joined with the unit separator, which none of them may hold, so that two
    different tuples never join to the same text.
    """
    parts = (campaign_id, occurrence, recipient_id, channel, address)
    joined = "\x1f".join(part.replace("\x1f", "\x1f\x1f") for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def text_digest(text: str) -> str:
    """Return the SHA-256 hex digest of a rendered text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def storable(text: str, *, most: int) -> str:
    """Return text that any database takes: no NUL, no lone surrogate, not over `most` long."""
    return text.encode("utf-8", "replace").decode().replace("\0", "�")[:most]


def mask_numbers(text: str) -> str:
    """Return text without its phone numbers: of what may be one, the last two digits stay."""
    return _NUMBER.sub(lambda found: found["id"] or f"…{found.group()[-2:]}", text)


def mask_address(address: str) -> str:
    """Return an address that a log may show: its last two characters, the rest starred."""
    return f"…{address[-2:]}" if len(address) > 4 else "…"
