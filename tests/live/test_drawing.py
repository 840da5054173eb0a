"""Figures as people read them, and the chart: whatever was sent, it stays inside its frame."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.ledger.campaign_page import Bucket
from genesys_cloud.live import chart, wording
from tests.ledger.planted import NOW

COUNT = st.integers(min_value=0, max_value=10**7)
TALLIES = st.lists(st.tuples(COUNT, COUNT, COUNT), min_size=1, max_size=120)


def buckets(tallies: list[tuple[int, int, int]], width: timedelta) -> list[Bucket]:
    return [
        Bucket(start=NOW + width * n, width=width, accepted=a, rejected=r, unknown=u)
        for n, (a, r, u) in enumerate(tallies)
    ]


@given(TALLIES, st.sampled_from([1, 5, 60, 1440]))
def test_every_bar_stands_inside_the_drawing(
    tallies: list[tuple[int, int, int]], minutes: int
) -> None:
    drawn = chart.draw(buckets(tallies, timedelta(minutes=minutes)))
    assert drawn is not None
    for bar in drawn.bars:
        assert drawn.left <= bar.x <= bar.x + bar.width <= drawn.width + 0.02
        assert 0 <= bar.y <= bar.y + bar.height <= drawn.base + 0.02
    assert len(drawn.bars) == sum(count > 0 for tally in tallies for count in tally)
    assert all(drawn.left <= mark.at <= drawn.width for mark in drawn.times)


def test_a_bar_is_as_high_as_its_rate() -> None:
    # 120 in 2 minutes are 60 a minute, and so is the top of the axis.
    drawn = chart.draw(buckets([(120, 0, 0), (40, 20, 0)], timedelta(minutes=2)))
    assert drawn is not None
    assert [mark.label for mark in drawn.heights] == ["0", "30", "60"]
    whole = drawn.base - drawn.heights[-1].at
    assert [(bar.kind, round(bar.height / whole, 3)) for bar in drawn.bars] == [
        ("accepted", 1.0),
        ("accepted", 0.333),
        ("rejected", 0.167),
    ]
    assert "the most were 60" in drawn.summary


@pytest.mark.parametrize("minutes", [1, 2, 3, 5, 30, 120])
def test_a_chart_ends_with_what_was_sent_last(minutes: int) -> None:
    drawn = chart.draw(buckets([(60, 0, 0)] * minutes, timedelta(minutes=1)))
    assert drawn is not None
    last = f"{NOW + timedelta(minutes=minutes - 1):%H:%M}"
    assert max(mark.label for mark in drawn.times) <= last
    assert {mark.at for mark in drawn.times} <= {bar.x for bar in drawn.bars}
    assert 1 <= len(drawn.times) <= 4
    right = drawn.width - max(bar.x + bar.width for bar in drawn.bars)
    left = min(bar.x for bar in drawn.bars) - drawn.left
    assert right == pytest.approx(left, abs=0.02)


def test_nothing_sent_is_no_chart() -> None:
    assert chart.draw([]) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "under a minute"),
        (29, "under a minute"),
        (60, "1 min"),
        (3570, "1 h"),  # 59.5 minutes round to 60
        (12_000, "3 h 20 min"),
        (86_400, "1 d"),
        (100_000, "1 d 3 h"),
    ],
)
def test_a_duration_is_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


@given(st.integers(min_value=0, max_value=10**7), st.integers(min_value=1, max_value=10**7))
def test_only_all_is_100_percent(part: int, whole: int) -> None:
    assert (wording.share(min(part, whole) / whole) == "100 %") == (part >= whole)


@pytest.mark.parametrize(
    ("per_minute", "said"), [(0, "0"), (0.25, "0.2"), (9.96, "10.0"), (1234.4, "1,234")]
)
def test_a_slow_rate_keeps_a_decimal(per_minute: float, said: str) -> None:
    assert wording.rate(per_minute) == said


def test_times_of_the_trail_and_of_the_ledger_look_alike() -> None:
    at = datetime.fromisoformat("2026-11-23T13:00:00+01:00")
    assert wording.moment(at) == wording.moment("2026-11-23T12:00:00.000Z") == "2026-11-23 12:00:00"
