"""The distances between questions grow, and are never shorter than asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.asking import EVENTS_LOST, POLLED, Schedule

SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NOTHING = timedelta()

schedules = st.builds(
    Schedule,
    first=st.timedeltas(SECOND, 2 * DAY),
    longest_distance=st.timedeltas(SECOND, 2 * DAY),
    oldest=st.timedeltas(DAY, 30 * DAY),
)


def questions(schedule: Schedule, runs: list[timedelta]) -> list[datetime]:
    """Return when a message sent at SENT is asked about, given the distances of the runs."""
    asked: list[datetime] = []
    now, due = SENT, SENT + schedule.first
    for distance in runs:
        now += distance
        if due <= now <= SENT + schedule.oldest:
            asked.append(now)
            due = schedule.next_ask(now, SENT)
    return asked


def as_they_fall_due(schedule: Schedule) -> list[timedelta]:
    """Return the ages at which a message is asked about whose status never changes."""
    ages, age = [], schedule.first
    while age <= schedule.oldest:
        ages.append(age)
        age = schedule.next_ask(SENT + age, SENT) - SENT
    return ages


def test_where_events_are_lost_the_ages_double_and_then_come_daily() -> None:
    quarters = [timedelta(minutes=15)] * (7 * 24 * 4)
    ages = [(asked - SENT) / HOUR for asked in questions(EVENTS_LOST, quarters)]
    # 32 h is 16 h after 16 h; from there on the distance would be 32 h, and is a day.
    assert ages == [1, 2, 4, 8, 16, 32, 56, 80, 104, 128, 152]


def test_where_statuses_are_polled_it_is_often_at_first_and_then_twice_a_day() -> None:
    ages = as_they_fall_due(POLLED)
    # 10 s doubled 13 times is 81,920 s, which is 22.8 h; half a day after each other from there.
    assert ages[:14] == [SECOND * 10 * 2**step for step in range(14)]
    assert {after - before for before, after in pairwise(ages[13:])} == {12 * HOUR}
    # The 18th half day after 22.8 h ends at 9.95 days; a question a minute would be 14,400.
    assert len(ages) == 14 + 18


@given(schedule=schedules, runs=st.lists(st.timedeltas(NOTHING, timedelta(days=3)), max_size=60))
def test_questions_are_never_closer_than_the_first_distance_nor_too_old(
    schedule: Schedule, runs: list[timedelta]
) -> None:
    asked = questions(schedule, runs)
    assert all(after - before >= schedule.first for before, after in pairwise([SENT, *asked]))
    assert all(one <= SENT + schedule.oldest for one in asked)


@given(schedule=schedules)
def test_the_distances_grow_to_the_longest_and_no_further(schedule: Schedule) -> None:
    ages = as_they_fall_due(schedule)[:50]
    distances = [after - before for before, after in pairwise([NOTHING, *ages])]
    assert distances == sorted(distances)
    assert max(distances, default=NOTHING) <= max(schedule.first, schedule.longest_distance)


@given(schedule=schedules, age=st.timedeltas(-400 * DAY, 400 * DAY))
def test_the_next_question_lies_ahead_however_odd_the_clocks(
    schedule: Schedule, age: timedelta
) -> None:
    # A status may carry a time of Genesys' that is ahead of ours, or years behind.
    distance = schedule.next_ask(SENT, SENT - age) - SENT
    assert schedule.first <= distance <= max(schedule.longest_distance, schedule.first)


@given(schedules, st.timedeltas(NOTHING, 10 * DAY), st.timedeltas(NOTHING, 10 * DAY))
def test_an_older_status_is_not_asked_about_sooner(
    schedule: Schedule, one: timedelta, other: timedelta
) -> None:
    younger, older = sorted((one, other))
    assert schedule.next_ask(SENT, SENT - younger) <= schedule.next_ask(SENT, SENT - older)


@pytest.mark.parametrize("name", ["first", "longest_distance", "oldest"])
def test_a_schedule_without_a_distance_is_refused(name: str) -> None:
    lengths = dict.fromkeys(("first", "longest_distance", "oldest"), HOUR)
    with pytest.raises(ValueError, match="above 0"):
        Schedule(**lengths | {name: NOTHING})


def test_another_first_question_leaves_the_rest_of_a_schedule() -> None:
    later = POLLED.starting_at(HOUR)
    assert as_they_fall_due(later)[:5] == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR]
    assert (later.longest_distance, later.oldest) == (POLLED.longest_distance, POLLED.oldest)
