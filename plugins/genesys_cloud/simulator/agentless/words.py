"""One status in each of the vocabularies that it appears in."""

from __future__ import annotations

from typing import NamedTuple


class Word(NamedTuple):
    """How analytics, receipts and the simulator's own counts call a message status."""

    analytics: str
    receipt: str
    counted: str


WORDS = {
    "queued": Word("Queued", "", "queued"),
    "sent": Word("Sent", "Sent", "sent"),
    "delivery-success": Word("DeliverySuccess", "Delivered", "delivered"),
    "delivery-failed": Word("DeliveryFailed", "Failed", "failed"),
    "failed": Word("Failed", "Failed", "failed"),
    "read": Word("Read", "Read", "read"),
}


def next_word(standing: str, step: str) -> str:
    """Return what a message at this status becomes: a failure is the carrier's once it was sent."""
    if step == "failed":
        return "failed" if standing == "queued" else "delivery-failed"
    return "delivery-success" if step == "delivered" else step
