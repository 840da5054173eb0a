"""The distances between questions grow, and are never shorter than asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.asking import FIRST_ASK, LONGEST_DISTANCE, OLDEST_ASKED, next_ask

SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def questions(runs: list[timedelta], *, first: timedelta = FIRST_ASK) -> list[datetime]:
    """Return when a message sent at SENT is asked about, given the distances of the runs."""
    asked: list[datetime] = []
    now, due = SENT, SENT + first
    for distance in runs:
        now += distance
        if now >= due and now <= SENT + OLDEST_ASKED:
            asked.append(now)
            due = next_ask(now, SENT, first=first)
    return asked


def test_a_message_is_asked_about_at_doubling_ages_and_then_daily() -> None:
    quarters = [timedelta(minutes=15)] * (7 * 24 * 4)
    ages = [(asked - SENT) / HOUR for asked in questions(quarters)]
    # 32 h is 16 h after 16 h; from there on the distance would be 32 h, and is a day.
    assert ages == [1, 2, 4, 8, 16, 32, 56, 80, 104, 128, 152]


@given(
    runs=st.lists(st.timedeltas(timedelta(), timedelta(days=3)), max_size=60),
    first=st.timedeltas(timedelta(minutes=5), LONGEST_DISTANCE),
)
def test_questions_are_never_closer_than_the_first_distance_nor_too_old(
    runs: list[timedelta], first: timedelta
) -> None:
    asked = questions(runs, first=first)
    assert all(after - before >= first for before, after in pairwise([SENT, *asked]))
    assert all(one <= SENT + OLDEST_ASKED for one in asked)


@given(
    age=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    first=st.timedeltas(timedelta(minutes=1), timedelta(days=2)),
)
def test_the_next_question_lies_ahead_however_odd_the_clocks(
    age: timedelta, first: timedelta
) -> None:
    # A status may carry a time of Genesys' that is ahead of ours, or years behind.
    distance = next_ask(SENT, SENT - age, first=first) - SENT
    assert first <= distance <= max(LONGEST_DISTANCE, first)


@given(st.timedeltas(timedelta(), OLDEST_ASKED), st.timedeltas(timedelta(), OLDEST_ASKED))
def test_an_older_status_is_not_asked_about_sooner(one: timedelta, other: timedelta) -> None:
    younger, older = sorted((one, other))
    assert next_ask(SENT, SENT - younger) <= next_ask(SENT, SENT - older)
