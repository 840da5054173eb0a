"""Where a recipient may be: the row's word, the number's zones, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers import timezone as number_zones
from phonenumbers.tzdata import TIMEZONE_DATA

from genesys_cloud.outbound.zones import Place, find_place, find_zones

WASHINGTON = "+12025550123"
MOSCOW_MOBILE = "+79161234567"
SATELLITE = "+881612345678"


@pytest.mark.parametrize(
    ("timezone", "number", "zones"),
    [
        ("America/Denver", WASHINGTON, ("America/Denver",)),
        ("", WASHINGTON, ("America/New_York",)),
        ("America/Atlantis", WASHINGTON, ("America/New_York",)),
        ("../../etc/passwd", WASHINGTON, ("America/New_York",)),
        ("america/denver", WASHINGTON, ("America/New_York",)),
        ("localtime", WASHINGTON, ("America/New_York",)),
        ("Europe/Paris", None, ("Europe/Paris",)),
        ("", None, ()),
        ("Mars/Olympus", None, ()),
        ("", SATELLITE, ()),
        ("", "+0", ()),
    ],
)
def test_the_named_zone_wins_then_every_zone_of_the_number_counts(
    timezone: str, number: str | None, zones: tuple[str, ...]
) -> None:
    assert find_zones(timezone, number, geographic=True) == zones


def test_a_number_without_a_place_may_be_anywhere_in_its_country() -> None:
    assert find_zones("", MOSCOW_MOBILE, geographic=True) == ("Europe/Moscow",)
    anywhere = find_zones("", MOSCOW_MOBILE, geographic=False)
    assert {"Europe/Moscow", "Asia/Kamchatka"} < set(anywhere)


def numbers() -> Iterator[phonenumbers.PhoneNumber]:
    """One valid number of every country and kind that is known."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in PhoneNumberType.values():
            found = phonenumbers.example_number_for_type(region, kind)
            if found is not None and phonenumbers.is_valid_number(found):
                yield found
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        found = phonenumbers.example_number_for_non_geo_entity(code)
        if found is not None:
            yield found


def test_zones_are_those_of_the_library_for_every_country_and_kind_of_number() -> None:
    count = 0
    for number in numbers():
        kind = phonenumbers.number_type(number)
        if kind == PhoneNumberType.UNKNOWN:
            continue
        count += 1
        expected = tuple(number_zones.time_zones_for_number(number))
        found = find_zones(
            "",
            phonenumbers.format_number(number, PhoneNumberFormat.E164),
            geographic=phonenumbers.is_number_type_geographical(kind, number.country_code),
        )
        assert found == (() if expected == ("Etc/Unknown",) else expected), number
    assert count > 1_000


def test_every_zone_that_a_number_may_have_can_be_opened() -> None:
    names = {name for names in TIMEZONE_DATA.values() for name in names} - {"Etc/Unknown"}

    assert names <= available_timezones()
    assert all(ZoneInfo(name).key == name for name in names)


@pytest.mark.parametrize(
    ("country", "region", "found"),
    [
        ("US", "TX", ("US", "TX")),
        ("US", " us-tx ", ("US", "TX")),
        ("US", "Texas", ("US", "")),
        ("US", "T|X", ("US", "")),
        ("US", "FR-TX", ("US", "")),
        (" fr ", "", ("FR", "")),
        ("France", "", ("", "")),
        ("", "idf", ("", "IDF")),
    ],
)
def test_what_is_no_code_of_a_country_or_region_counts_as_blank(
    country: str, region: str, found: tuple[str, str]
) -> None:
    place = find_place("marketing", country=country, region=region, zones=())

    assert (place.country, place.region) == found


@given(
    zones=st.lists(st.sampled_from(sorted(available_timezones())), max_size=50).map(tuple),
    country=st.one_of(st.sampled_from(["US", "FR"]), st.text()),
    region=st.one_of(st.sampled_from(["TX", "US-TX"]), st.text()),
)
def test_the_ledgers_line_says_all_of_a_place(
    zones: tuple[str, ...], country: str, region: str
) -> None:
    place = find_place("marketing", country=country, region=region, zones=zones)

    assert Place.parse(place.as_text()) == place
