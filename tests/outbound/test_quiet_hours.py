"""When the window opens: over edges, weekends, holidays, zones and the hours that clocks skip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genesys_cloud.outbound.quiet_hours import DAY, FARTHEST, QuietHours, Rule, Window
from genesys_cloud.outbound.zones import Place

NEW_YORK, BERLIN, LONDON = "America/New_York", "Europe/Berlin", "Europe/London"
MINUTE = timedelta(minutes=1)
Week = Mapping[int, Sequence[Window]]


def clock(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def window(opens: str, closes: str, *, on_holidays: bool = True) -> Window:
    return Window(opens=clock(opens), closes=clock(closes), on_holidays=on_holidays)


def daily(*windows: Window) -> Week:
    return dict.fromkeys(range(7), windows)


def quiet(week: Week, holidays: frozenset[date] = frozenset()) -> QuietHours:
    return QuietHours(
        version="test",
        rules={("marketing", "US", ""): Rule(week=week, sources=["test"])},
        holidays={"US": holidays},
    )


def place(*zones: str, country: str = "US", region: str = "") -> Place:
    return Place(message_class="marketing", country=country, region=region, zones=zones)


def at(text: str, zone: str = NEW_YORK, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


FEDERAL = quiet(daily(window("8:00", "21:00")))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-23 07:59:59.999999", "2026-11-23 08:00"),
        ("2026-11-23 08:00", "2026-11-23 08:00"),
        ("2026-11-23 20:59:59.999999", "2026-11-23 20:59:59.999999"),
        ("2026-11-23 21:00", "2026-11-24 08:00"),
        ("2026-11-23 23:59", "2026-11-24 08:00"),
        ("2026-11-24 00:00", "2026-11-24 08:00"),
    ],
)
def test_a_window_is_open_from_its_opening_until_just_before_its_closing(
    now: str, opens: str
) -> None:
    assert FEDERAL.opens_at(place(NEW_YORK), at(now)) == at(opens)


def test_the_night_in_which_the_clock_is_set_does_not_move_the_opening() -> None:
    # Eleven hours on the wall; an hour less in March, an hour more in November.
    for night, hours in (("2026-03-07", 10), ("2026-10-31", 12), ("2026-06-01", 11)):
        closing = at(f"{night} 21:00")
        opening = FEDERAL.opens_at(place(NEW_YORK), closing)
        assert opening is not None
        assert opening.astimezone(ZoneInfo(NEW_YORK)).hour == 8
        assert opening - closing.astimezone(UTC) == timedelta(hours=hours)


def test_an_opening_that_the_clock_skips_is_the_moment_of_the_skip() -> None:
    # On 2026-03-29 the clock of Berlin goes from 02:00 to 03:00, which is 01:00 UTC.
    hours = quiet(daily(window("2:30", "4:00")))

    assert hours.opens_at(place(BERLIN), at("2026-03-29 01:59:59", BERLIN)) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


def test_a_window_that_the_clock_skips_as_a_whole_opens_on_the_next_day() -> None:
    hours = quiet(daily(window("2:15", "2:45")))

    assert hours.opens_at(place(BERLIN), at("2026-03-29 01:00", BERLIN)) == at(
        "2026-03-30 02:15", BERLIN
    )


def test_a_window_in_the_hour_that_comes_twice_opens_twice() -> None:
    # On 2026-10-25 the clock of Berlin goes from 03:00 back to 02:00, at 01:00 UTC.
    hours = quiet(daily(window("2:15", "2:45")))
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)

    assert hours.opens_at(place(BERLIN), first - MINUTE) == first
    assert hours.opens_at(place(BERLIN), first + 30 * MINUTE) == first + 60 * MINUTE


def test_a_clock_set_back_into_a_window_opens_it_at_once() -> None:
    hours = quiet(daily(window("1:30", "2:30")))

    # 02:45 on the first round is closed; 02:00 on the second is open again.
    assert hours.opens_at(place(BERLIN), at("2026-10-25 02:45", BERLIN)) == datetime(
        2026, 10, 25, 1, tzinfo=UTC
    )


def test_a_week_has_its_own_windows_and_a_day_without_any_is_closed() -> None:
    hours = quiet({5: [window("10:00", "12:00"), window("14:00", "17:00")]})  # Saturdays

    assert hours.opens_at(place(NEW_YORK), at("2026-11-23 09:00")) == at("2026-11-28 10:00")
    assert hours.opens_at(place(NEW_YORK), at("2026-11-28 12:00")) == at("2026-11-28 14:00")


def test_a_holiday_closes_only_the_windows_that_say_so() -> None:
    holidays = frozenset({date(2026, 12, 25)})
    now = at("2026-12-24 21:00")

    closed = quiet(daily(window("8:00", "21:00", on_holidays=False)), holidays)
    short = quiet(
        daily(window("8:00", "11:00", on_holidays=False), window("11:00", "12:00")), holidays
    )

    assert closed.opens_at(place(NEW_YORK), now) == at("2026-12-26 08:00")
    assert short.opens_at(place(NEW_YORK), now) == at("2026-12-25 11:00")


def test_all_zones_of_a_recipient_have_to_be_open() -> None:
    both = place(NEW_YORK, "America/Los_Angeles")

    # 08:00 in Los Angeles is 11:00 in New York, where it closes at 18:00 in Los Angeles.
    assert FEDERAL.opens_at(both, at("2026-11-23 08:00")) == at("2026-11-23 11:00")
    assert FEDERAL.opens_at(both, at("2026-11-23 21:00")) == at("2026-11-24 11:00")


def test_zones_without_a_common_hour_never_open() -> None:
    hours = quiet(daily(window("9:00", "12:00")))

    assert hours.opens_at(place("Europe/Kaliningrad", "Asia/Kamchatka"), at("2026-11-23")) is None


def test_an_unknown_zone_never_opens() -> None:
    assert FEDERAL.opens_at(place(), at("2026-11-23 12:00")) is None
    assert FEDERAL.open_until(place(), at("2026-11-23 12:00")) == at("2026-11-23 12:00")


def test_what_no_rule_holds_for_is_open_whatever_the_zone() -> None:
    night = at("2026-11-23 03:00")

    assert FEDERAL.opens_at(place(country="FR"), night) == night
    assert FEDERAL.open_until(place(country="FR"), night) is None


def test_a_regions_rule_comes_before_its_countrys_and_that_before_everywheres() -> None:
    def opening(hour: str) -> Rule:
        return Rule(week=daily(window(hour, "21:00")), sources=["test"])

    hours = QuietHours(
        version="test",
        rules={
            ("marketing", "US", "TX"): opening("9:00"),
            ("marketing", "US", ""): opening("8:00"),
            ("marketing", "*", ""): opening("10:00"),
            ("informational", "US", "TX"): opening("6:00"),
        },
        holidays={},
    )
    night = at("2026-11-23 03:00")
    expected = {("US", "TX"): 9, ("US", "FL"): 8, ("US", ""): 8, ("DE", "TX"): 10, ("", ""): 10}

    for (country, region), hour in expected.items():
        opens = hours.opens_at(place(NEW_YORK, country=country, region=region), night)
        assert opens == at(f"2026-11-23 {hour:02}:00"), (country, region)
    assert hours.concern("informational")
    assert not FEDERAL.concern("informational")


def test_a_window_around_midnight_stays_open_through_it() -> None:
    hours = quiet(daily(window("0:00", "2:00"), window("22:00", "24:00")))
    before = at("2026-11-23 23:59:59")

    until = hours.open_until(place(NEW_YORK), before)

    assert until == at("2026-11-24 00:00")
    assert hours.opens_at(place(NEW_YORK), until) == until


def test_it_stays_open_until_the_first_zone_closes_or_a_clock_is_set() -> None:
    now = at("2026-11-23 12:00")

    assert FEDERAL.open_until(place(NEW_YORK, LONDON), now) == at("2026-11-23 21:00", LONDON)
    assert quiet(daily(window("0:00", "24:00"))).open_until(
        place(BERLIN), at("2026-10-25 00:30", BERLIN)
    ) == datetime(2026, 10, 25, 1, tzinfo=UTC)


def test_the_years_whose_holidays_nobody_wrote_down_are_named() -> None:
    closing = quiet(
        daily(window("8:00", "21:00", on_holidays=False)), frozenset({date(2026, 12, 25)})
    )

    assert closing.unknown_holidays([2026, 2027]) == ["US 2027"]
    assert FEDERAL.unknown_holidays([2026, 2027]) == []


def minutes() -> st.SearchStrategy[timedelta]:
    return st.integers(0, 24 * 60).map(lambda count: timedelta(minutes=count))


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    """Up to two windows a day that don't overlap, on some days, closed on holidays or not."""
    week: dict[int, list[Window]] = {}
    for day in draw(st.sets(st.integers(0, 6), min_size=1)):
        ends = sorted(draw(st.lists(minutes(), min_size=2, max_size=4, unique=True)))
        week[day] = [
            Window(opens=opens, closes=closes, on_holidays=draw(st.booleans()))
            for opens, closes in zip(ends[::2], ends[1::2], strict=False)
        ]
    return week


ZONES = st.sampled_from([
    NEW_YORK, BERLIN, LONDON, "UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca",
    "America/St_Johns", "Pacific/Apia", "Pacific/Chatham", "America/Sao_Paulo", "Asia/Tehran",
])  # fmt: skip
# Nights in which a clock is set, and any other moment from 2010 to 2034.
CHANGES = st.sampled_from(
    [
        datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York forward
        datetime(2026, 11, 1, 6, tzinfo=UTC),  # and back
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # Europe forward
        datetime(2026, 10, 25, 1, tzinfo=UTC),  # and back
        datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe back, by half an hour
        datetime(2011, 12, 30, 10, tzinfo=UTC),  # Samoa skips a day
    ]
)
MOMENTS = st.one_of(
    st.integers(1_262_304_000, 2_051_222_400).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.builds(lambda change, s: change + timedelta(seconds=s), CHANGES, st.integers(-90000, 9000)),
)
HOLIDAYS = frozenset({date(2026, 3, 29), date(2026, 11, 1)})


def is_open(week: Week, zone: str, moment: datetime) -> bool:
    """The plain reading of the rule, against which the search is held."""
    local = moment.astimezone(ZoneInfo(zone))
    wall = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    return any(
        one.opens <= wall < one.closes and (one.on_holidays or local.date() not in HOLIDAYS)
        for one in week.get(local.weekday(), ())
    )


@given(week=weeks(), zones=st.sets(ZONES, min_size=1, max_size=3), now=MOMENTS)
def test_the_opening_is_the_first_minute_at_which_all_zones_are_open(
    week: Week, zones: set[str], now: datetime
) -> None:
    opens = quiet(week, HOLIDAYS).opens_at(place(*zones), now)

    ahead = FARTHEST if opens is None else opens - now
    assume(opens is None or ahead < 3 * DAY)
    start = now.replace(second=0, microsecond=0)
    count = min(ahead, 3 * DAY) // MINUTE + 1
    moments = [now, *(start + n * MINUTE for n in range(1, count + 1))]
    first = next(
        (moment for moment in moments if all(is_open(week, zone, moment) for zone in zones)), None
    )
    assert first == opens


@given(week=weeks(), zones=st.sets(ZONES, min_size=1, max_size=3), now=MOMENTS)
def test_nothing_closes_before_the_instant_until_which_it_is_open(
    week: Week, zones: set[str], now: datetime
) -> None:
    hours, where = quiet(week), place(*zones)
    opens = hours.opens_at(where, now)
    assume(opens is not None)
    assert opens is not None

    until = hours.open_until(where, opens)

    assert until is not None
    assert opens < until <= opens + DAY
    for n in range(int((until - opens) / MINUTE) + 1):
        moment = min(opens + n * MINUTE, until - timedelta(microseconds=1))
        assert hours.opens_at(where, moment) == moment


@given(week=weeks(), zone=ZONES, now=MOMENTS, later=st.timedeltas(timedelta(0), 2 * DAY))
def test_who_asks_later_is_never_told_an_earlier_opening(
    week: Week, zone: str, now: datetime, later: timedelta
) -> None:
    hours = quiet(week)
    first = hours.opens_at(place(zone), now)
    second = hours.opens_at(place(zone), now + later)

    assume(first is not None)
    assert second is None or (first is not None and first <= second)
