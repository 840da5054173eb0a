from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound import segments as sms
from genesys_cloud.outbound.preview_tally import KINDS, MOST_SETS, PreviewTally

OPENS = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Message:
    text: str
    row_number: int
    language: str = "en"
    segments: int | None = None
    held_until: datetime | None = None
    address: str = "+12025550101"
    address_key: str | None = "k"


def sent(text: str, row: int = 1, *, language: str = "en", held: bool = False) -> Message:
    return Message(
        text, row, language, sms.count(text).segments, OPENS if held else None
    )  # fmt: skip


def tallied(*messages: Message, country: str | None = "US") -> PreviewTally:
    tally = PreviewTally()
    for message in messages:
        tally.see(message, country)
    return tally


# Long enough for several segments, in both encodings.
texts = st.lists(st.sampled_from(["a" * 70, "b", "’", "€", "é", "\t", "\n"]), max_size=4)
messages = st.lists(
    st.builds(
        sent, texts.map("".join),
        language=st.sampled_from(["en", "fr"]), held=st.booleans(),
    ),
    max_size=30,
)  # fmt: skip


@given(some=messages, countries=st.lists(st.sampled_from(["US", "GB", None]), min_size=30))
def test_every_count_is_the_plain_sum(some: list[Message], countries: list[str | None]) -> None:
    tally = PreviewTally()
    for message, country in zip(some, countries, strict=False):
        tally.see(message, country)
    segments = sum(message.segments or 0 for message in some)
    assert (tally.messages, tally.segments) == (len(some), segments)
    assert tally.languages == Counter(message.language for message in some)
    for parts in (tally.traffic(), tally.releases()):
        assert sum(part.messages for part in parts) == len(some)
        assert sum(part.segments for part in parts) == segments
    by_country = {part.country: part.messages for part in tally.traffic()}
    assert by_country == Counter(countries[: len(some)])
    held = sum(part.messages for part in tally.releases() if part.opens_at is not None)
    assert held == sum(message.held_until is not None for message in some)


@given(some=messages, gone=st.lists(st.booleans(), min_size=30))
def test_who_is_taken_back_was_never_counted(some: list[Message], gone: list[bool]) -> None:
    numbered = [replace(message, row_number=row) for row, message in enumerate(some)]
    left = [message for message in numbered if not gone[message.row_number]]
    tally, never = tallied(*numbered), tallied(*left)
    for message in numbered:
        if gone[message.row_number]:
            tally.take_back(replace(message, held_until=None), "US", message.held_until)
    lost = tally.lost
    assert lost == {
        sample.language for sample in tallied(*numbered).samples() if gone[sample.row_number]
    }
    tally.show_instead(message for message in left if message.language in lost)
    assert tally == never
    assert list(tally.samples()) == list(never.samples())


@given(some=messages)
def test_the_texts_that_stand_out_are_shown_and_each_message_once(some: list[Message]) -> None:
    numbered = [Message(m.text, row, m.language, m.segments) for row, m in enumerate(some, start=1)]
    tally = tallied(*numbered)
    for language in ("en", "fr"):
        own = [message for message in numbered if message.language == language]
        shown = [sample for sample in tally.samples() if sample.language == language]
        assert len({sample.row_number for sample in shown}) == len(shown) <= len(KINDS)
        if own:
            lengths = [len(sample.text) for sample in shown]
            assert min(lengths) == min(len(message.text) for message in own)
            assert max(lengths) == max(len(message.text) for message in own)
            assert max(sample.segments or 0 for sample in shown) == max(
                message.segments or 0 for message in own
            )


def test_a_sample_masks_its_address() -> None:
    (sample,) = tallied(sent("Hello")).samples()
    assert (sample.masked_address, sample.kind) == ("…01", "shortest")
    assert "Hello" not in repr(sample)


@pytest.mark.parametrize(
    ("text", "characters", "saved"),
    [
        # 71 UTF-16 units take 2 segments, and the same in GSM-7 one.
        ("a" * 70 + "’", "’", 1),
        ("“" + "a" * 150 + "”", "“”", 2),
        ("a" * 70 + "🎉", "🎉", 1),  # without it
        ("a" * 70 + "`", "`", 1),
        ("a" * 70 + "\t", "\t", 1),
    ],
)
def test_a_few_characters_that_cost_segments_are_named(
    text: str, characters: str, saved: int
) -> None:
    tally = tallied(sent(text, 1), sent(text, 2), sent("a" * 200, 3))
    assert list(tally.turned) == [characters]
    turned = tally.turned[characters]
    assert (turned.messages, turned.segments) == (2, 2 * saved)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 69 + "’",  # one segment either way
        "a" * 500,
        "Здравствуйте, ваш заказ готов и ждёт вас в нашем магазине на главной площади",
        "’" + "a" * 133 + "€" * 20,  # 3 segments of UCS-2
    ],
)
def test_what_costs_nothing_or_is_another_script_is_not(text: str) -> None:
    turned = tallied(sent(text)).turned
    assert all(each.segments for each in turned.values())
    assert bool(turned) == ("€" in text)


def test_memory_does_not_grow_with_the_rows() -> None:
    tally = PreviewTally()
    number = count(0x4E00)
    for row in range(MOST_SETS + 50):
        tally.see(sent("a" * 70 + chr(next(number)), row), "US")
    assert len(tally.turned) == MOST_SETS
    assert len(list(tally.samples())) <= len(KINDS)
