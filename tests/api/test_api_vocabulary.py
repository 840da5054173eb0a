"""The platform's three vocabularies, whose words are copied here from its own models."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from genesys_cloud.api.profiles.vocabulary import (
    VOCABULARY,
    from_analytics,
    from_messages,
    from_receipts,
)
from genesys_cloud.outbound.status import Status

MESSAGES = {
    "queued": "queued",
    "sent": "sent",
    "failed": "failed",
    "received": "received",
    "delivery-success": "delivered",
    "delivery-failed": "failed",
    "read": "read",
    "removed": "removed",
    "published": "delivered",
}
ANALYTICS = {
    "DeliveryFailed": "failed",
    "DeliveryPushed": "sent",
    "DeliverySuccess": "delivered",
    "Failed": "failed",
    "Published": "delivered",
    "Queued": "queued",
    "Read": "read",
    "Received": "received",
    "Sent": "sent",
}
RECEIPTS = {
    "Sent": "sent",
    "Delivered": "delivered",
    "Read": "read",
    "Failed": "failed",
    "Published": "delivered",
    "Removed": "removed",
}
ALL = [(from_messages, MESSAGES), (from_analytics, ANALYTICS), (from_receipts, RECEIPTS)]
CASES = [(ours, word, to) for ours, words in ALL for word, to in words.items()]


def test_the_table_has_the_platforms_words_and_no_others() -> None:
    assert {word for row in VOCABULARY.values() for word in row.messages} == set(MESSAGES)
    assert {word for row in VOCABULARY.values() for word in row.analytics} == set(ANALYTICS)
    assert {word for row in VOCABULARY.values() for word in row.receipts} == set(RECEIPTS)


@pytest.mark.parametrize(("ours", "word", "expected"), CASES)
def test_each_word_is_taken_in_any_spelling(
    ours: Callable[[str], str], word: str, expected: str
) -> None:
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", word)
    for spelling in (word, word.upper(), parts.replace("-", "_").upper(), parts.lower()):
        assert ours(spelling) == expected


def test_every_status_of_ours_after_pending_can_be_reached() -> None:
    steps = {status.word for status in Status} - {"pending"}
    assert set(VOCABULARY) - steps == {"received", "removed"}
    assert set(MESSAGES.values()) == set(ANALYTICS.values()) | {"removed"} == set(VOCABULARY)


@pytest.mark.parametrize("word", ["teleported", "", "DeliverySuccessful", "Delivered-by-carrier"])
def test_a_word_that_the_table_lacks_stays_as_it_is(word: str) -> None:
    assert from_messages(word) == from_analytics(word) == from_receipts(word) == word
    assert Status.parse(word) is None
