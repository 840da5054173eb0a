"""The policy file: what the project ships, and every way in which one may be unclear."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.quiet_hours import QuietHours
from genesys_cloud.outbound.quiet_policy import parse_policy
from genesys_cloud.outbound.zones import Place

SHIPPED = Path(__file__).parents[2] / "include/policies/quiet_hours.toml"

RULE = """
[[rules]]
country = "US"
region = "TX"
classes = ["marketing"]
days = ["mon", "tue"]
opens = "08:00"
closes = "21:00"
closed_on_holidays = true
source = "test"
"""
HOLIDAYS = """
[[holidays]]
country = "US"
year = 2026
dates = [2026-12-25]
source = "test"
"""
GOOD = "dated = 2026-11-23\n" + RULE + HOLIDAYS


@pytest.fixture(scope="module")
def shipped() -> QuietHours:
    return parse_policy(SHIPPED.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("place", "zone", "night", "opens"),
    [
        # The evening before a Monday, and the evening before a Sunday.
        ("US", "America/New_York", "2026-11-22 21:00", "2026-11-23 08:00"),
        ("US-FL", "America/New_York", "2026-11-22 20:00", "2026-11-23 08:00"),
        ("US-MD", "America/New_York", "2026-11-22 20:00", "2026-11-23 08:00"),
        ("US-MS", "America/Chicago", "2026-11-22 20:00", "2026-11-23 08:00"),
        ("US-NJ", "America/New_York", "2026-11-22 20:00", "2026-11-23 08:00"),
        ("US-OK", "America/Chicago", "2026-11-22 20:00", "2026-11-23 08:00"),
        ("US-CT", "America/New_York", "2026-11-22 20:00", "2026-11-23 09:00"),
        ("US-RI", "America/New_York", "2026-11-23 18:00", "2026-11-24 09:00"),
        ("US-RI", "America/New_York", "2026-11-28 17:00", "2026-11-29 10:00"),
        ("US-TX", "America/Chicago", "2026-11-22 21:00", "2026-11-23 09:00"),
        ("US-TX", "America/Chicago", "2026-11-28 21:00", "2026-11-29 12:00"),
        ("FR", "Europe/Paris", "2026-11-28 20:00", "2026-11-30 10:00"),
        ("FR", "Europe/Paris", "2026-12-24 20:00", "2026-12-26 10:00"),
        ("BR", "America/Sao_Paulo", "2026-11-22 20:00", "2026-11-23 09:00"),
        ("", "Asia/Tokyo", "2026-11-22 20:00", "2026-11-23 09:00"),
    ],
)
def test_the_shipped_hours_of_a_place(
    shipped: QuietHours, place: str, zone: str, night: str, opens: str
) -> None:
    country, _, region = place.partition("-")
    where = Place(message_class="marketing", country=country, region=region, zones=(zone,))
    closing = datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(zone))

    assert shipped.opens_at(where, closing) == datetime.fromisoformat(opens).replace(
        tzinfo=ZoneInfo(zone)
    )
    just_before = closing.timestamp() - 1
    assert shipped.opens_at(where, datetime.fromtimestamp(just_before, ZoneInfo(zone))) == (
        datetime.fromtimestamp(just_before, ZoneInfo(zone))
    )


def test_the_shipped_policy_leaves_informational_messages_alone(shipped: QuietHours) -> None:
    assert shipped.concern("marketing")
    assert not shipped.concern("informational")


def test_the_shipped_policy_knows_its_holidays_of_this_year_and_the_next(
    shipped: QuietHours,
) -> None:
    assert shipped.unknown_holidays([2026, 2027]) == []
    assert shipped.unknown_holidays([2028]) == ["FR 2028"]
    # Eleven days of the law; Easter Monday is the day after the 5th of April and the 28th of March.
    assert len(shipped.holidays["FR"]) == 22


def test_every_shipped_rule_says_where_it_is_from(shipped: QuietHours) -> None:
    assert all(all(rule.sources) for rule in shipped.rules.values())


def test_the_version_changes_with_every_character(shipped: QuietHours) -> None:
    assert parse_policy(GOOD).version.startswith("2026-11-23.")
    assert parse_policy(GOOD).version != parse_policy(GOOD.replace("08:00", "08:01")).version


def test_a_day_may_end_at_midnight() -> None:
    policy = parse_policy(GOOD.replace("21:00", "24:00"))

    assert policy.rules["marketing", "US", "TX"].week[0][0].closes.days == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("dated = 2026-11-23", "", "`dated` is not a date"),
        ("dated = 2026-11-23", "dated = 2026-11-23T00:00:00Z", "`dated` is not a date"),
        ("dated = 2026-11-23", "dated = 2026-11-23\nextra = 1", "nobody knows: extra"),
        ("[[rules]]", "[rules]", "is written [[rules]]"),
        ("[[holidays]]", "[holidays]", "is written [[holidays]]"),
        ('country = "US"\nregion', "region", "Rule 1 lacks country"),
        ('source = "test"', 'source = "test"\nopen = 1', "Rule 1 holds what nobody knows: open"),
        ('source = "test"', 'source = " "', "source of rule 1 says nothing"),
        ('"US"', '"USA"', "country of rule 1 is 'USA'"),
        ('"US"', '"us"', "country of rule 1 is 'us'"),
        ('"US"', '["US"]', "country of rule 1"),
        ('"US"', '"*"', "region of rule 1"),
        ('"TX"', '"Texas"', "region of rule 1 is 'Texas'"),
        ('"TX"', "5", "region of rule 1 is 5"),
        ('["marketing"]', '["spam"]', "`classes` of rule 1"),
        ('["marketing"]', "[]", "`classes` of rule 1"),
        ('["marketing"]', "[[]]", "`classes` of rule 1"),
        ('["marketing"]', '"marketing"', "`classes` of rule 1"),
        ('["mon", "tue"]', '["mon", "mon"]', "`days` of rule 1"),
        ('["mon", "tue"]', '["monday"]', "`days` of rule 1"),
        ('"08:00"', '"8:00"', "`opens` of rule 1 is '8:00'"),
        ('"08:00"', '"25:00"', "`opens` of rule 1 is '25:00'"),
        ('"08:00"', "08:00:00", "`opens` of rule 1"),
        ('"08:00"', "8", "`opens` of rule 1 is 8"),
        ('"08:00"', '"21:00"', "closes before it opens"),
        ('"08:00"', '"22:00"', "closes before it opens"),
        ("= true", '= "yes"', "neither true nor false"),
        ("2026-12-25", "2027-12-25", "2027-12-25 in holidays 1 is not in 2026"),
        ("2026-12-25", "2026-12-25T00:00:00Z", "dates of holidays 1"),
        ("[2026-12-25]", "[]", "dates of holidays 1"),
        ("year = 2026\n", "", "Holidays 1 lacks year"),
    ],
)
def test_a_policy_that_is_not_perfectly_clear_is_refused(old: str, new: str, says: str) -> None:
    assert old in GOOD

    with pytest.raises(ValueError, match=re.escape(says)):
        parse_policy(GOOD.replace(old, new, 1))


def test_holidays_of_everywhere_are_refused() -> None:
    everywhere = GOOD.replace('region = "TX"\n', "").replace('"US"', '"*"', 1)
    with pytest.raises(ValueError, match="Nobody knows the holidays of everywhere"):
        parse_policy(everywhere)
    with pytest.raises(ValueError, match="No day is a holiday everywhere"):
        parse_policy("dated = 2026-11-23\n" + HOLIDAYS.replace('"US"', '"*"'))


def test_windows_of_one_place_and_day_must_not_overlap() -> None:
    more = RULE.replace("08:00", "20:59").replace("21:00", "22:00")
    with pytest.raises(ValueError, match="rule 2 overlaps"):
        parse_policy("dated = 2026-11-23\n" + RULE + more)

    parse_policy("dated = 2026-11-23\n" + RULE + more.replace("20:59", "21:00"))
    parse_policy("dated = 2026-11-23\n" + RULE + more.replace("TX", "FL"))


@given(text=st.one_of(st.text(), st.text(alphabet="[]{}=\"'#.,-: \n0123456789datedrules")))
def test_any_other_text_is_a_policy_or_refused(text: str) -> None:
    for whole in (text, "dated = 2026-11-23\n" + text):
        with contextlib.suppress(ValueError):  # nothing else may be raised
            assert parse_policy(whole).version.startswith("2026-11-23.")
