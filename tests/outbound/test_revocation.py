from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.revocation import RevocationPolicy
from genesys_cloud.settings import PROJECT_ROOT

SHIPPED = RevocationPolicy.parse(
    (PROJECT_ROOT / "include" / "policies" / "revocation.toml").read_text(encoding="utf-8")
)
GOOD = 'dated = 2026-11-23\nsource = "law"\nbusiness_days = 10\nweekend = ["saturday", "sunday"]\n'


def test_the_policy_that_ships_is_the_rule_of_the_fcc() -> None:
    assert (SHIPPED.business_days, SHIPPED.weekend) == (10, frozenset({5, 6}))
    assert SHIPPED.dated >= date(2026, 11, 23)
    assert "64.1200(a)(10)" in SHIPPED.source


@pytest.mark.parametrize(
    ("received", "deadline"),
    [
        ("2026-11-02T15:00Z", "2026-11-16T15:00Z"),  # Monday, two weeks
        ("2026-11-06T23:59Z", "2026-11-20T23:59Z"),  # Friday
        ("2026-11-07T08:00Z", "2026-11-20T08:00Z"),  # Saturday counts from Monday on
        ("2026-11-08T08:00Z", "2026-11-20T08:00Z"),
        ("2026-11-09T01:00+05:00", "2026-11-20T20:00Z"),  # still Sunday in UTC
        ("2026-12-24T12:00Z", "2027-01-07T12:00Z"),  # holidays are counted as business days
        ("2028-02-18T12:00Z", "2028-03-03T12:00Z"),  # over a leap day
    ],
)
def test_ten_business_days(received: str, deadline: str) -> None:
    assert SHIPPED.honour_by(datetime.fromisoformat(received)) == datetime.fromisoformat(deadline)


@given(st.integers(0, 100 * 365 * 24 * 60))
def test_two_weeks_are_never_exceeded_and_no_weekend_ends_it(minutes: int) -> None:
    received = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    deadline = SHIPPED.honour_by(received)
    assert deadline.weekday() < 5
    days = [received.date() + timedelta(days=n + 1) for n in range((deadline - received).days)]
    assert sum(day.weekday() < 5 for day in days) == 10
    assert timedelta(days=12) <= deadline - received <= timedelta(days=14)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("dated = 2026-11-23", "", "dated"),
        ("dated = 2026-11-23", 'dated = "today"', "not a date"),
        ('"law"', '" "', "says nothing"),
        ("= 10", "= 0", "whole number"),
        ("= 10", "= true", "whole number"),
        ("= 10", "= 1.5", "whole number"),
        ('"sunday"]', '"Sunday"]', "no list of days"),
        ('["saturday", "sunday"]', '"sunday"', "no list of days"),
        ('["saturday", "sunday"]', '["monday", "tuesday", "wednesday", "thursday", "friday", '
         '"saturday", "sunday"]', "all of them"),
        ("= 10", "= 10\nholidays = 1", "no more"),
        ("= 10", "= = 10", "Invalid"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused(old: str, new: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RevocationPolicy.parse(GOOD.replace(old, new))
