from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.gsm_spelling import plain, saving
from genesys_cloud.outbound.segments import count


def test_one_curly_quote_doubles_the_price_and_says_so() -> None:
    found = saving("We’ll see you on Tuesday." + " Bring your papers." * 5)
    assert found is not None
    # 120 characters: two segments of UCS-2, one of GSM-7.
    assert (found.segments, found.replaced, found.left) == (1, (("’", "'"),), ())


def test_a_text_in_gsm_7_has_nothing_to_save() -> None:
    assert saving("Grüße, ça coûte €5"[:5]) is None


def test_a_character_without_a_plain_spelling_keeps_the_text_dear() -> None:
    found = saving("á" + "a" * 80 + "🙂")
    assert found is not None
    assert (found.segments, found.replaced, found.left) == (0, (("á", "a"),), ("🙂",))


@pytest.mark.parametrize(
    ("character", "spelling"),
    [("á", "a"), ("ç", "c"), ("…", "..."), ("\u00a0", " "), ("\u200b", ""), ("ł", None),
     ("€", "€"), ("中", None), ("½", None)],
)  # fmt: skip
def test_spellings(character: str, spelling: str | None) -> None:
    assert plain(character) == spelling


@given(st.text(st.sampled_from("aé€’“–…áçñ中🙂 "), max_size=200))
def test_the_saving_is_what_the_replaced_text_takes_less(text: str) -> None:
    found = saving(text)
    counted = count(text)
    if found is None:
        assert counted.encoding == "GSM-7"
        return
    table = dict(found.replaced)
    replaced = count("".join(table.get(c, c) for c in text))
    assert found.segments == max(0, counted.segments - replaced.segments)
    if not found.left:
        assert replaced.encoding == "GSM-7"
