from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.estimated_finish import Finish, Release, estimate_finish
from genesys_cloud.outbound.pacing import Limit

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ACCOUNT = Limit(name="300 requests a minute", most=300)

releases = st.lists(
    st.builds(
        Release,
        opens_at=st.none()
        | st.integers(min_value=-600, max_value=3_000).map(lambda m: START + timedelta(minutes=m)),
        messages=st.integers(min_value=0, max_value=100_000),
        segments=st.integers(min_value=0, max_value=500_000),
    ),
    max_size=6,
)
rates = st.integers(min_value=1, max_value=10_000)


def finish(some: list[Release], *limits: Limit, deadline: datetime | None = None) -> Finish:
    return estimate_finish(some, limits or [ACCOUNT], start=START, deadline=deadline)


def now(messages: int, segments: int = 0) -> Release:
    return Release(opens_at=None, messages=messages, segments=segments)


def at(finished: Finish) -> datetime:
    assert finished.at is not None
    return finished.at


def test_it_is_the_limits_own_arithmetic() -> None:
    # 300 a minute are 0.204 s apart, the gate's two per cent included.
    assert at(finish([now(3_000)])) == START + timedelta(seconds=612)


def test_the_slowest_limit_counts_and_is_named() -> None:
    segments = Limit(name="10 segments a second", most=10, period_s=1, unit="segment")
    few = Limit(name="60 messages a minute", most=60)
    assert finish([now(100, 100)], ACCOUNT, few, segments).paced_by == few.name
    assert finish([now(100, 1_000)], ACCOUNT, segments).paced_by == segments.name


def test_what_is_held_goes_out_when_its_window_opens_and_not_before_the_others() -> None:
    opens = START + timedelta(hours=20)
    held = Release(opens_at=opens, messages=300, segments=0)
    assert at(finish([now(300), held])) == opens + timedelta(seconds=61.2)
    assert finish([held]).starts_at == opens
    soon = replace(held, opens_at=START + timedelta(seconds=1))
    assert at(finish([now(300), soon])) == START + timedelta(seconds=122.4)


def test_without_a_limit_nobody_knows() -> None:
    assert estimate_finish([now(5)], [], start=START).at is None


def test_what_is_beyond_the_deadline_is_counted() -> None:
    deadline = START + timedelta(seconds=306)  # half of 612
    assert finish([now(3_000)], deadline=deadline).late == 1_500
    assert finish([now(3_000)], deadline=START + timedelta(seconds=612)).late == 0
    tomorrow = Release(opens_at=START + timedelta(days=1), messages=7, segments=0)
    assert finish([now(10), tomorrow], deadline=deadline).late == 7


def test_what_opens_after_the_deadline_is_late_however_fast_it_goes() -> None:
    held = Release(opens_at=START + timedelta(hours=1), messages=7, segments=0)
    late = estimate_finish([now(10), held], [], start=START, deadline=held.opens_at)
    assert (late.at, late.late) == (None, 7)


@given(
    some=releases, more=st.integers(min_value=1, max_value=10_000), place=st.integers(0, 5),
    rate=rates, hours=st.integers(min_value=1, max_value=72),
)  # fmt: skip
def test_more_messages_never_finish_earlier_nor_are_fewer_late(
    some: list[Release], more: int, place: int, rate: int, hours: int
) -> None:
    limits = (Limit(name="a", most=rate), Limit(name="b", most=7, period_s=1, unit="segment"))
    deadline = START + timedelta(hours=hours)
    before = finish(some, *limits, deadline=deadline)
    if place < len(some):
        grown = replace(some[place], messages=some[place].messages + more)
        some = [*some[:place], grown, *some[place + 1 :]]
    else:
        some = [*some, now(more)]
    after = finish(some, *limits, deadline=deadline)
    assert at(after) >= at(before)
    assert after.late >= before.late


@given(some=releases, rate=rates, lower=rates)
def test_a_lower_limit_never_finishes_earlier(some: list[Release], rate: int, lower: int) -> None:
    fast, slow = max(rate, lower), min(rate, lower)
    other = Limit(name="campaign", most=500)
    assert at(finish(some, other, Limit(name="a", most=slow))) >= at(
        finish(some, other, Limit(name="a", most=fast))
    )
