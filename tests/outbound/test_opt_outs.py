"""Opt-out words: a word is understood however it is written, and only where it is all there is."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genesys_cloud.outbound.opt_outs import (
    LONGEST_MESSAGE,
    Choice,
    InboundMessage,
    Policy,
    Verdict,
)
from genesys_cloud.outbound.scope import Scope

FILE = Path(__file__).resolve().parents[2] / "include" / "policies" / "opt_out_words.toml"
POLICY = Policy.parse(FILE.read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

DECORATION = st.text(st.sampled_from(" \t\n.,!?;:-_\"'()🛑😀❤️\u200d\u00a0\u200b…"), max_size=6)
ACCENTS = st.text(st.sampled_from("\u0301\u0308\u0327"), max_size=2)


@st.composite
def spellings(draw: st.DrawFn, word: str) -> str:
    """Draw a word as people may type it: decorated, in any case, with accents."""
    letters = [draw(st.sampled_from([each.lower(), each.upper()])) for each in word]
    inside = "".join(
        each + draw(ACCENTS) + draw(st.sampled_from(["", "", " "])) for each in letters
    )
    return draw(DECORATION) + inside + draw(DECORATION)


@given(st.data(), st.sampled_from(sorted(POLICY.words)))
def test_a_word_is_understood_however_it_is_written(data: st.DataObject, word: str) -> None:
    assert POLICY.verdict(data.draw(spellings(word))) is POLICY.words[word]


@given(
    st.sampled_from(sorted(POLICY.words)),
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=12),
    st.booleans(),
)
def test_a_message_that_says_more_says_something_else(word: str, more: str, first: bool) -> None:
    text = f"{more} {word}" if first else f"{word} {more}"
    assume(POLICY.verdict(more) is None)
    assume("".join(text.split()).lower() not in POLICY.words)
    assert POLICY.verdict(text) is None


@given(st.data(), st.sampled_from(sorted(POLICY.words)), st.integers(2, 4))
def test_saying_it_again_means_it_all_the_more(data: st.DataObject, word: str, times: int) -> None:
    decorated = [data.draw(DECORATION) + word.upper() + "!" for _ in range(times)]
    text = " ".join(decorated)
    assume(len(text) <= LONGEST_MESSAGE)
    assert POLICY.verdict(text) is POLICY.words[word]


@given(st.text(max_size=LONGEST_MESSAGE + 50))
def test_any_text_has_a_verdict_or_none(text: str) -> None:
    assert POLICY.verdict(text) in {None, *Verdict}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("STOP", Verdict.OPT_OUT),
        ("stop all", Verdict.OPT_OUT),
        ("Opt-out", Verdict.OPT_OUT),
        ("arrêt", Verdict.OPT_OUT),
        ("ARRET", Verdict.OPT_OUT),
        ("Baja.", Verdict.OPT_OUT),
        ("kündigen", Verdict.OPT_OUT),
        ("ＳＴＯＰ", Verdict.OPT_OUT),
        ("Stop. Stop! STOP 🛑", Verdict.OPT_OUT),
        ("Please stop 🙏", Verdict.OPT_OUT),
        ("don’t text me", Verdict.OPT_OUT),
        ("S.T.O.P", Verdict.OPT_OUT),
        ("sair", Verdict.OPT_OUT),
        ("stop start", None),
        ("fine", None),
        ("Start 👍", Verdict.OPT_IN),
        ("unstop", Verdict.OPT_IN),
        ("don't stop", None),
        ("please stop by tomorrow", None),
        ("nonstop", None),
        ("HELP", None),
        ("", None),
        ("🛑", None),
        ("stop" + "!" * LONGEST_MESSAGE, None),
    ],
)
def test_words_that_people_send(text: str, verdict: Verdict | None) -> None:
    assert POLICY.verdict(text) is verdict


LISTED = {
    "Genesys Cloud": ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"],
    "FCC": ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"],
    "Twilio": ["OPTOUT", "CANCEL", "END", "QUIT", "REVOKE", "STOP", "STOPALL", "STOP ALL",
               "UNSUBSCRIBE"],
    "AWS": ["ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD",
            "UNSUBSCRIBE"],
}  # fmt: skip


@pytest.mark.parametrize("by", LISTED)
def test_the_words_that_law_and_carriers_list_are_all_there(by: str) -> None:
    assert {POLICY.verdict(word) for word in LISTED[by]} == {Verdict.OPT_OUT}


def test_the_words_of_genesys_cloud_that_start_again_are_all_there() -> None:
    assert {POLICY.verdict(word) for word in ["START", "YES", "UNSTOP"]} == {Verdict.OPT_IN}
    assert POLICY.dated >= date(2026, 11, 23)


def inbound(text: str, conversation_id: str | None = "c-1") -> InboundMessage:
    return InboundMessage(
        event_id="in-1",
        conversation_id=conversation_id,
        channel="messaging:sms",
        address="+12025550123",
        text=text,
        occurred_at=NOW,
    )


def test_a_choice_keeps_no_text_and_is_about_the_conversation() -> None:
    choice = POLICY.choice(inbound("Stop!"))
    assert choice == Choice(
        event_id="in-1",
        message_id="conversation:c-1",
        channel="messaging:sms",
        address="+12025550123",
        verdict=Verdict.OPT_OUT,
        occurred_at=NOW,
    )
    alone = POLICY.choice(inbound("START", None))
    assert alone is not None
    assert (alone.message_id, alone.status) == ("in-1", "opt_in")
    assert POLICY.choice(inbound("thanks, see you")) is None


@pytest.mark.parametrize("scope", list(Scope))
def test_a_policy_says_how_far_an_opt_out_reaches(scope: Scope) -> None:
    assert POLICY.scope is Policy.parse(GOOD).scope is Scope.CHANNEL
    own = Policy.parse(f'{GOOD}[holds]\nscope = "{scope}"\nsource = "us"\n')
    choice = own.choice(inbound("stop"))
    assert choice is not None
    assert (own.scope, choice.scope) == (scope, scope)


@pytest.mark.parametrize(
    ("holds", "says"),
    [
        ('scope = "galaxy"\nsource = "us"', "`scope` is none of channel, everywhere"),
        ('scope = "channel"', "needs `scope` and `source`"),
        ('scope = "channel"\nsource = " "', "needs `scope` and `source`"),
        ('scope = ["channel"]\nsource = "us"', "`scope` is none of"),
    ],
)
def test_a_reach_that_is_not_clear_is_refused(holds: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Policy.parse(f"{GOOD}[holds]\n{holds}\n")


def test_neither_message_nor_choice_shows_whom_or_what() -> None:
    message = inbound("stop")
    shown = repr(message) + repr(POLICY.choice(message))
    assert "2025550123" not in shown
    assert "stop" not in shown


GOOD = """
dated = 2026-11-23
[opt_out.en]
words = ["STOP"]
source = "us"
[opt_in.en]
words = ["START"]
source = "us"
"""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("2026-11-23", '"yesterday"'), "`dated` is not a date"),
        (('"START"', '"Stop!"'), "asks for both"),
        (('"STOP"', '"!"'), "is no word"),
        (('["STOP"]', "[]"), "are no list"),
        (('["STOP"]', "[7]"), "7 in"),
        (("opt_in.en", "opt_on.en"), "opt_on"),
        (("[opt_in.en]", "[opt_out.fr]"), r"no \[opt_in.LANGUAGE\]"),
        (('source = "us"\n[', "["), "needs `words` and `source`"),
        (("dated", "dated dated"), "Expected"),
    ],
)
def test_a_policy_that_is_not_clear_is_refused(change: tuple[str, str], says: str) -> None:
    assert Policy.parse(GOOD).words == {"stop": Verdict.OPT_OUT, "start": Verdict.OPT_IN}
    with pytest.raises(ValueError, match=says):
        Policy.parse(GOOD.replace(*change, 1))
