"""Conversations and the agentless messages in them, by id and by time."""

from __future__ import annotations

import hashlib
import uuid
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from genesys_cloud.simulator.agentless.words import WORDS
from genesys_cloud.simulator.instants import to_iso

DAY_MS = 86_400_000
_STARTED = attrgetter("start_ms")


class Receipt(NamedTuple):
    """One status change of a message."""

    status: str
    at_ms: int
    error_code: str | None


@dataclass(slots=True)
class AgentlessMessage:
    """A message: what was posted, what its recipient reads, how far it is."""

    id: str
    conversation_id: str
    posted: dict[str, Any]
    text: str
    accepted_ms: int
    status: str = "queued"
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def channel(self) -> str:
        """Return the messenger type."""
        return str(self.posted["toAddressMessengerType"])

    @property
    def recipient(self) -> str:
        """Return the address as posted, or the external contact where there is none."""
        return recipient_of(self.posted)

    @property
    def changed_ms(self) -> int:
        """Return when the status changed last."""
        return self.receipts[-1].at_ms if self.receipts else self.accepted_ms

    def as_log_entry(self) -> dict[str, Any]:
        """Return what the simulator's own log says about an accepted message."""
        return {
            "id": self.id,
            "channelType": self.channel,
            "metadata": {},
            "status": self.status,
            "from": self.posted["fromAddress"],
            "to": self.recipient,
            "text": self.text,
            "acceptedAt": to_iso(self.accepted_ms),
            "conversationId": self.conversation_id,
            "profile": "agentless",
            "messagingTemplate": self.posted.get("messagingTemplate"),
        }


@dataclass(slots=True)
class Conversation:
    """A conversation as analytics knows it: its two parties, and the latest status only."""

    id: str
    start_ms: int
    channel: str
    sender: str
    recipient: str
    initiator: str = "api"
    end_ms: int | None = None
    status: str | None = None
    status_ms: int = 0
    error_code: str | None = None
    messages: list[AgentlessMessage] = field(default_factory=list)

    @property
    def direction(self) -> str:
        """Return which side began."""
        return "outbound" if self.initiator == "api" else "inbound"

    def part(self, name: str) -> str:
        """Return the id of a part of the conversation, always the same."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.id} {name}"))


class ConversationStore:
    """Conversations in order of their start, their messages, and who is in one right now."""

    def __init__(self, seed: int, active_share: float) -> None:
        self._seed, self._active_share = seed, active_share
        self._ordered: list[Conversation] = []
        self._by_id: dict[str, Conversation] = {}
        self._messages: dict[str, AgentlessMessage] = {}
        self._active: dict[tuple[str, str], Conversation] = {}
        self.counts = Counter[str]()
        self.version = 0
        self._last_search: tuple[Any, list[Conversation]] | None = None

    def add(self, conversation: Conversation) -> Conversation:
        """Keep a conversation."""
        self._by_id[conversation.id] = conversation
        if self._ordered and self._ordered[-1].start_ms > conversation.start_ms:
            insort(self._ordered, conversation, key=_STARTED)
        else:
            self._ordered.append(conversation)
        self.version += 1
        return conversation

    def add_message(self, message: AgentlessMessage, conversation: Conversation) -> None:
        """Keep a message of a conversation."""
        self._messages[message.id] = message
        conversation.messages.append(message)
        conversation.status, conversation.status_ms = message.status, message.changed_ms
        conversation.error_code = None
        self.counts[WORDS[message.status].counted] += 1
        self.version += 1

    def advance(self, message: AgentlessMessage, receipt: Receipt) -> None:
        """Move a message on; its conversation ends when it leaves, unless someone is in it."""
        self.counts[WORDS[message.status].counted] -= 1
        self.counts[WORDS[receipt.status].counted] += 1
        message.status = receipt.status
        message.receipts.append(receipt)
        conversation = self._by_id[message.conversation_id]
        conversation.status, conversation.status_ms = receipt.status, receipt.at_ms
        conversation.error_code = receipt.error_code
        if conversation.initiator == "api" and conversation.end_ms is None:
            conversation.end_ms = receipt.at_ms
        self.version += 1

    def get(self, conversation_id: str) -> Conversation | None:
        """Return a conversation by its id."""
        return self._by_id.get(conversation_id)

    def message(self, message_id: str) -> AgentlessMessage | None:
        """Return a message by its id."""
        return self._messages.get(message_id)

    def open(self, channel: str, sender: str, recipient: str, at_ms: int) -> Conversation:
        """Begin a conversation with the customer that stays active."""
        identity = str(uuid.uuid4())
        conversation = Conversation(identity, at_ms, channel, sender, recipient, "customer")
        self._active[channel, recipient] = self.add(conversation)
        return conversation

    def active(self, body: dict[str, Any], at_ms: int) -> Conversation | None:
        """Return the conversation that the recipient of a message is in."""
        channel, recipient = body["toAddressMessengerType"], recipient_of(body)
        known = self._active.get((channel, recipient))
        if known is None and self._active_share and self._drawn(recipient) < self._active_share:
            return self.open(channel, body["fromAddress"], recipient, at_ms)
        return known

    def overlapping(self, start_ms: int, end_ms: int, *, same_day: bool) -> Iterator[Conversation]:
        """Yield the conversations whose life touches [start, end), in order of their start.

        With `same_day` only those that started on a UTC day that the interval touches.
        """
        low = bisect_left(self._ordered, start_ms - start_ms % DAY_MS, key=_STARTED)
        high = bisect_left(self._ordered, end_ms, key=_STARTED)
        for conversation in self._ordered[low if same_day else 0 : high]:
            if conversation.end_ms is None or conversation.end_ms >= start_ms:
                yield conversation

    def remembered(
        self, question: dict[str, Any], search: Callable[[], list[Conversation]]
    ) -> list[Conversation]:
        """Return what the same question found last time, if nothing has changed since."""
        asked = (self.version, question)
        if self._last_search is None or self._last_search[0] != asked:
            self._last_search = (asked, search())
        return self._last_search[1]

    def __len__(self) -> int:
        return len(self._messages)

    def _drawn(self, recipient: str) -> float:
        digest = hashlib.sha256(f"{self._seed} active {recipient}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def recipient_of(body: dict[str, Any]) -> str:
    """Return the address of a posted message, or its external contact."""
    return str(body.get("toAddress") or body.get("externalContactId"))
