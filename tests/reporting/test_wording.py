"""Figures as people read them."""

from __future__ import annotations

from datetime import date

import pytest

from genesys_cloud.reporting import wording
from tests.reporting.samples import START


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"),
        (0, "0 ms"),
        (999.4, "999 ms"),
        (999.9, "1.00 s"),
        (1_000, "1.00 s"),
        (59_994, "59.99 s"),
        (59_999, "1 min 0 s"),
        (60_000, "1 min 0 s"),
        (125_400, "2 min 5 s"),
        (90_000_000_000, "1\u202f500\u202f000 min 0 s"),
    ],
)
def test_duration_is_in_the_unit_that_reads_best(ms, text):
    assert wording.duration(ms) == text


def test_count_sets_thousands_apart():
    assert wording.count(1_234_567) == "1\u202f234\u202f567"
    assert wording.count(None) == "–"


def test_share_of_nothing_is_a_dash():
    assert wording.share(0, 0) == "–"
    assert wording.share(1, 3) == "33.3%"


def test_interval_and_times():
    assert wording.interval({"low": 93.14, "high": 96.4}) == "93.1–96.4%"
    assert wording.interval(None) == "–"
    assert wording.instant(START) == "2024-01-15 00:00:00 UTC"
    assert wording.long_date(date(2024, 1, 5)) == "Friday, 5 January 2024"
