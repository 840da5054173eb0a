"""The delivery status of a message, and the one rule by which it moves.

Order as the tutorial has it: pending < queued < sent < delivered < read < failed. A message only
moves forward; `failed` after `delivered` or `read` moves it too and is a contradiction, which the
audit entry flags so that reports can count it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple


class Status(IntEnum):
    """A step in a message's life after Genesys accepted it; the number is its rank."""

    PENDING = 0
    QUEUED = 1
    SENT = 2
    DELIVERED = 3
    READ = 4
    FAILED = 5

    @property
    def word(self) -> str:
        """The status as it is written on the wire and in the ledger."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Status | None:
        """Return the status that `word` names, None when the vocabulary lacks it."""
        return _BY_WORD.get(word)


_BY_WORD = {status.word: status for status in Status}

FINAL = frozenset({Status.DELIVERED, Status.READ, Status.FAILED})
"""No later status is owed; READ may still follow DELIVERED."""

REACHED = frozenset({Status.DELIVERED, Status.READ})
"""The message arrived on the recipient's device."""

OPTED_OUT = "RecipientOptedOut"
"""The code of a failure which says that the recipient wants no more messages."""


class Transition(NamedTuple):
    """What a status event does to a message: where it stands after, and what to record."""

    status: Status
    moved: bool
    contradiction: bool


def advance(current: Status, reported: Status) -> Transition:
    """Return what becomes of a message at `current` when `reported` arrives."""
    if reported <= current:
        return Transition(current, moved=False, contradiction=False)
    contradiction = reported is Status.FAILED and current in REACHED
    return Transition(reported, moved=True, contradiction=contradiction)


_CONVERSATION = "conversation:"


def about_conversation(conversation_id: str) -> str:
    """Return what stands for the message id in an event that names a conversation only."""
    return _CONVERSATION + conversation_id


def conversation_of(message_id: str) -> str | None:
    """Return the conversation that stands for a message id, None where it is a message's own."""
    return message_id.removeprefix(_CONVERSATION) if message_id.startswith(_CONVERSATION) else None


@dataclass(frozen=True, kw_only=True)
class StatusEvent:
    """One push from Genesys, in our words.

    `event_id` identifies the push: the sender's own id, or message id, status and timestamp joined
    where it gives none. `status` stays a word, for a vocabulary may grow. `reason_code` is why a
    message failed, where the push says so.
    """

    event_id: str
    message_id: str
    status: str
    occurred_at: datetime
    reason_code: str | None = None

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at must be an aware datetime")
