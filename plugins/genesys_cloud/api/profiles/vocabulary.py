"""The platform's words for a status: three vocabularies, and ours, in one table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Words(NamedTuple):
    """What a status is called by a message, by analytics, and by a receipt."""

    messages: tuple[str, ...] = ()
    analytics: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()


VOCABULARY = {
    "queued": Words(("queued",), ("Queued",)),
    "sent": Words(("sent",), ("Sent", "DeliveryPushed"), ("Sent",)),
    "delivered": Words(
        ("delivery-success", "published"),
        ("DeliverySuccess", "Published"),
        ("Delivered", "Published"),
    ),
    "read": Words(("read",), ("Read",), ("Read",)),
    "failed": Words(("failed", "delivery-failed"), ("Failed", "DeliveryFailed"), ("Failed",)),
    # Both move nothing: one is the customer's own message, the other says that a text was taken
    # back later, and neither is a step of ours.
    "received": Words(("received",), ("Received",)),
    "removed": Words(("removed",), (), ("Removed",)),
}
"""Our word for each status, beside the platform's; a word of the platform is added here."""


def from_messages(word: str) -> str:
    """Return our word for a message's status, or the word as it is where the table lacks it."""
    return _MESSAGES.get(_plain(word), word)


def from_analytics(word: str) -> str:
    """Return our word for a session's delivery status, or the word as it is."""
    return _ANALYTICS.get(_plain(word), word)


def from_receipts(word: str) -> str:
    """Return our word for a receipt's status, or the word as it is."""
    return _RECEIPTS.get(_plain(word), word)


def _plain(word: str) -> str:
    # The same enum is DeliverySuccess in analytics and DELIVERY_SUCCESS in its events.
    return "".join(letter for letter in word.lower() if letter.isalnum())


def _by_word(rows: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    return {_plain(word): ours for ours, words in rows for word in words}


_MESSAGES = _by_word((ours, words.messages) for ours, words in VOCABULARY.items())
_ANALYTICS = _by_word((ours, words.analytics) for ours, words in VOCABULARY.items())
_RECEIPTS = _by_word((ours, words.receipts) for ours, words in VOCABULARY.items())
