"""The rule of consent, held against a slow and literal reading of what people said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.consent import (
    SENTENCES,
    ConsentFrom,
    ConsentState,
    Recorded,
    normalise_purpose,
    refusal,
    withdrawals_in_force,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PURPOSES = ("", "offers", "care")
GIVEN, WITHDRAWN = ConsentState.GIVEN, ConsentState.WITHDRAWN


def said(state: ConsentState, day: int, purpose: str = "", ends: int | None = None) -> Recorded:
    expires_at = None if ends is None else NOW + timedelta(days=ends)
    return Recorded(
        state=state, purpose=purpose, decided_at=NOW + timedelta(days=day), expires_at=expires_at
    )


def on_record(*decisions: Recorded, purpose: str = "") -> str | None:
    return refusal(decisions, purpose=purpose, consent_from=ConsentFrom.LEDGER, at=NOW)


decisions = st.lists(
    st.builds(
        said,
        st.sampled_from(list(ConsentState)),
        st.integers(-9, 0),
        st.sampled_from(PURPOSES),
        st.none() | st.integers(-3, 3),
    ),
    max_size=6,
)


@pytest.mark.parametrize(
    ("history", "purpose", "code"),
    [
        ([], "", "consent_not_on_record"),
        ([said(GIVEN, -1)], "", None),
        ([said(GIVEN, -1)], "offers", None),
        ([said(GIVEN, -1, "care")], "offers", "consent_other_purpose"),
        ([said(GIVEN, -1, "care")], "", None),
        ([said(GIVEN, -9, ends=0)], "", "consent_expired"),
        ([said(GIVEN, -9, ends=1)], "", None),
        ([said(GIVEN, -9), said(WITHDRAWN, -5)], "", "consent_withdrawn"),
        ([said(GIVEN, -9), said(WITHDRAWN, -5), said(GIVEN, -1)], "", None),
        # What was said at one instant is a no, whichever was recorded first.
        ([said(WITHDRAWN, -5), said(GIVEN, -5)], "", "consent_withdrawn"),
        # An older consent that is imported late does not end a withdrawal.
        ([said(WITHDRAWN, -5), said(GIVEN, -6)], "", "consent_withdrawn"),
        # No to offers leaves care alone, and stops what names no purpose.
        ([said(GIVEN, -9), said(WITHDRAWN, -5, "offers")], "care", None),
        ([said(GIVEN, -9), said(WITHDRAWN, -5, "offers")], "offers", "consent_withdrawn"),
        ([said(GIVEN, -9), said(WITHDRAWN, -5, "offers")], "", "consent_withdrawn"),
        # No to all, then yes to care: care only.
        ([said(WITHDRAWN, -5), said(GIVEN, -1, "care")], "care", None),
        ([said(WITHDRAWN, -5), said(GIVEN, -1, "care")], "offers", "consent_withdrawn"),
        ([said(WITHDRAWN, -5), said(GIVEN, -1, "care")], "", "consent_withdrawn"),
        # A consent from before a withdrawal does not come back when the one after it has expired.
        ([said(GIVEN, -9), said(WITHDRAWN, -5), said(GIVEN, -3, ends=-1)], "", "consent_expired"),
    ],
)
def test_the_latest_word_counts(history: list[Recorded], purpose: str, code: str | None) -> None:
    assert on_record(*history, purpose=purpose) == code
    assert on_record(*reversed(history), purpose=purpose) == code


@given(decisions, st.sampled_from(PURPOSES[1:]))
def test_one_purpose_is_decided_by_its_own_and_the_general_words_alone(
    history: list[Recorded], purpose: str
) -> None:
    """The literal reading: of what concerns the purpose, the last instant; of that, a no."""
    about = [one for one in history if one.purpose in ("", purpose)]
    code = on_record(*history, purpose=purpose)
    if not about:
        assert code in {"consent_other_purpose", "consent_not_on_record"}
        return
    noes = [one.decided_at for one in about if one.state is WITHDRAWN]
    after = [
        one for one in about
        if one.state is GIVEN and all(one.decided_at > no for no in noes)
    ]  # fmt: skip
    if not after:
        assert code == "consent_withdrawn"
    else:
        lasts = any(one.expires_at is None or one.expires_at > NOW for one in after)
        assert code == (None if lasts else "consent_expired")


@given(decisions, st.sampled_from(PURPOSES))
def test_a_withdrawal_today_always_wins_until_a_consent_after_it(
    history: list[Recorded], purpose: str
) -> None:
    for source in ConsentFrom:
        at = NOW + timedelta(days=2)
        no = [*history, said(WITHDRAWN, 1, purpose)]
        assert refusal(no, purpose=purpose, consent_from=source, at=at) == "consent_withdrawn"
        # Nobody who stopped one purpose is written to without any.
        assert refusal(no, purpose="", consent_from=source, at=at) == "consent_withdrawn"
        yes = [*no, said(GIVEN, 2)]
        assert refusal(yes, purpose=purpose, consent_from=source, at=at) is None


@given(decisions, st.sampled_from(PURPOSES))
def test_the_audience_s_word_is_overruled_by_withdrawals_alone(
    history: list[Recorded], purpose: str
) -> None:
    code = refusal(history, purpose=purpose, consent_from=ConsentFrom.AUDIENCE, at=NOW)
    stopped = bool(withdrawals_in_force(history, purpose))
    assert code == ("consent_withdrawn" if stopped else None)
    if stopped:
        assert on_record(*history, purpose=purpose) == "consent_withdrawn"


@given(st.permutations([said(GIVEN, -4), said(WITHDRAWN, -3, "care"), said(GIVEN, -2, "care"),
                        said(WITHDRAWN, -1, "offers")]))  # fmt: skip
def test_the_order_in_which_they_were_recorded_says_nothing(history: list[Recorded]) -> None:
    assert [on_record(*history, purpose=one) for one in PURPOSES] == [
        "consent_withdrawn", "consent_withdrawn", None
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["two words", "a/b", "x" * 65, "-", ".a", "a\nb", "a\n"])
def test_a_purpose_is_one_word(text: str) -> None:
    if text.strip() == "a":
        assert normalise_purpose(text) == "a"
        return
    with pytest.raises(CampaignDefinitionError, match="one word"):
        normalise_purpose(text)


def test_purposes_are_compared_without_case_and_may_be_of_any_language() -> None:
    assert [normalise_purpose(one) for one in (" Offers ", "", "Prüfung-2026")] == [
        "offers", "", "prüfung-2026"
    ]  # fmt: skip


def test_every_code_has_a_sentence_that_people_read() -> None:
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
