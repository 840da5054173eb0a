from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.segments import GSM_BASIC, GSM_EXTENDED, count

VECTORS = [
    ("a" * 160, 1),
    ("a" * 161, 2),
    ("a" * 306, 2),
    ("a" * 307, 3),
    ("a" * 765, 5),
    ("a" * 766, 6),
    ("^" * 80, 1),
    ("^" * 81, 2),
    ("a" * 152 + "^" + "a" * 152, 3),  # 306 septets, but the pair may not be split
    ("😀" * 35, 1),
    ("😀" * 36, 2),
    ("😀" * 67, 3),  # 33 pairs a segment, not 33.5
    ("a" * 66 + "😀" + "a" * 66, 3),
    ("ç" * 160, 3),  # ç is not in GSM-7, Ç is
    ("Ç" * 160, 1),
    ("é" * 160, 1),
    ("€" * 80, 1),
    ("ÿ" * 70, 1),
    ("ÿ" * 71, 2),
    ("ÿ" * 402, 6),
    ("à" * 70 + "ÿ", 2),
    ("a" * 158 + "|", 1),
    ("a" * 159 + "|", 2),
]


@pytest.mark.parametrize(("text", "segments"), VECTORS)
def test_the_published_cases(text: str, segments: int) -> None:
    assert count(text).segments == segments


def test_the_alphabets_have_the_sizes_of_the_standard() -> None:
    assert len(GSM_BASIC) == 127  # 128 places, one of which is the escape
    assert len(GSM_EXTENDED) == 10
    assert not GSM_BASIC & GSM_EXTENDED


def test_the_characters_that_force_ucs_2_are_named_once_in_their_order() -> None:
    found = count("Hola José, ¿qué tal? ’s ya á á")
    assert found.encoding == "UCS-2"
    assert found.forcing == ("’", "á")


def test_a_blank_text_takes_no_segment() -> None:
    found = count("")
    assert (found.encoding, found.segments, found.characters_left) == ("GSM-7", 0, 160)


def least_segments(text: str) -> int:
    """An oracle that tries every cut: the fewest segments that hold the text."""
    plain = all(c in GSM_BASIC or c in GSM_EXTENDED for c in text)
    alone, joined = (160, 153) if plain else (70, 67)
    sizes = [2 if (c in GSM_EXTENDED if plain else ord(c) > 0xFFFF) else 1 for c in text]
    sums = list(itertools.accumulate(sizes, initial=0))
    if sums[-1] <= alone:
        return 1
    best = [0] + [len(sizes)] * len(sizes)
    for end in range(1, len(sizes) + 1):
        starts = range(max(0, end - joined), end)
        best[end] = min(best[s] + 1 for s in starts if sums[end] - sums[s] <= joined)
    return best[-1]


alphabets = st.sampled_from(["a^", "a€ÿ", "ÿ😀", "a😀"])


@given(alphabets.flatmap(lambda letters: st.text(letters, min_size=1, max_size=500)))
def test_greedy_packing_is_the_best_there_is(text: str) -> None:
    assert count(text).segments == least_segments(text)


@given(st.text(min_size=1, max_size=400))
def test_what_is_left_can_be_filled_and_one_more_starts_a_segment(text: str) -> None:
    found = count(text)
    full = count(text + "a" * found.characters_left)
    assert (full.segments, full.characters_left) == (found.segments, 0)
    assert count(text + "a" * (found.characters_left + 1)).segments > found.segments
