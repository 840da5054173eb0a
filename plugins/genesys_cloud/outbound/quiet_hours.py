"""Quiet hours: when people may be written to, by the clock on the wall where they are.

The windows are a policy, read by quiet_policy.py. A recipient may be in several time zones; a
message goes out only while the window is open in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from genesys_cloud.outbound.zones import Place

EVERYWHERE: Final = "*"
"""The country of a rule that holds where a country has none of its own."""

DAY: Final = timedelta(days=1)

FARTHEST: Final = timedelta(days=14)
"""How far ahead an opening is looked for; what is closed for longer never opens."""

REASON_CODE: Final = "quiet_hours"

_ASKED: Final = 16_384
"""Answers that are kept; all recipients of a place have the same one."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Open from `opens` until just before `closes`, both the time since midnight on the wall."""

    opens: timedelta
    closes: timedelta
    on_holidays: bool = True


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The windows of a week by weekday, Monday 0, and where they are from."""

    week: Mapping[int, Sequence[Window]] = field(repr=False)
    sources: Sequence[str]

    def windows(self, day: date, holidays: frozenset[date]) -> Sequence[Window]:
        """Return the windows of a day."""
        windows = self.week.get(day.weekday(), ())
        if day in holidays:
            return [window for window in windows if window.on_holidays]
        return windows


@dataclass(frozen=True, kw_only=True, eq=False)
class QuietHours:
    """A policy: rules by message class, country and region ('' for the country's own).

    `version` is what audit entries name; `holidays` are public holidays by country, as far as the
    policy knows them.
    """

    version: str
    rules: Mapping[tuple[str, str, str], Rule] = field(repr=False)
    holidays: Mapping[str, frozenset[date]] = field(repr=False)

    def concern(self, message_class: str) -> bool:
        """Whether a class of messages has quiet hours anywhere."""
        return any(name == message_class for name, _, _ in self.rules)

    def rule_of(self, place: Place) -> Rule | None:
        """Return the rule of a region, else of its country, else of everywhere."""
        name = place.message_class
        keys = ((place.country, place.region), (place.country, ""), (EVERYWHERE, ""))
        return next((rule for key in keys if (rule := self.rules.get((name, *key)))), None)

    def opens_at(self, place: Place, now: datetime) -> datetime | None:
        """Return `now` where the windows are open, else the instant at which all of them are.

        None where no zone is known, or the windows have no common hour for as long as is looked.
        """
        return _opens_at(self, place, now.astimezone(UTC))

    def open_until(self, place: Place, now: datetime) -> datetime | None:
        """Return an instant before which nothing closes that is open now, None where no rule holds.

        It may come before the closing: then nobody has looked any farther.
        """
        return _open_until(self, place, now.astimezone(UTC))

    def unknown_holidays(self, years: Sequence[int]) -> list[str]:
        """Return the countries whose rules close on holidays that the policy does not list."""
        closing = {
            country
            for (_, country, _), rule in self.rules.items()
            if any(not window.on_holidays for windows in rule.week.values() for window in windows)
        }
        return [
            f"{country} {year}"
            for country in sorted(closing)
            for year in years
            if year not in {day.year for day in self.holidays.get(country, ())}
        ]


@lru_cache(maxsize=_ASKED)
def _opens_at(quiet: QuietHours, place: Place, moment: datetime) -> datetime | None:
    rule = quiet.rule_of(place)
    if rule is None:
        return moment
    last, zones = moment + FARTHEST, [ZoneInfo(name) for name in place.zones]
    holidays = quiet.holidays.get(place.country, frozenset())
    while zones and moment <= last:
        latest = max(_first_open(rule, holidays, zone, moment, last) for zone in zones)
        if latest == moment:
            return moment
        moment = latest
    return None


@lru_cache(maxsize=_ASKED)
def _open_until(quiet: QuietHours, place: Place, moment: datetime) -> datetime | None:
    rule = quiet.rule_of(place)
    if rule is None:
        return None
    holidays = quiet.holidays.get(place.country, frozenset())
    zones = (ZoneInfo(name) for name in place.zones)
    return min((_look(rule, holidays, zone, moment)[1] for zone in zones), default=moment)


def _first_open(
    rule: Rule, holidays: frozenset[date], zone: ZoneInfo, moment: datetime, last: datetime
) -> datetime:
    """Return the first instant at which a window is open, or one after `last`."""
    while moment <= last:
        is_open, until = _look(rule, holidays, zone, moment)
        if is_open:
            return moment
        moment = until
    return moment


def _look(
    rule: Rule, holidays: frozenset[date], zone: ZoneInfo, moment: datetime
) -> tuple[bool, datetime]:
    """Return whether a window is open at an instant, and until when that does not change.

    Nothing is looked at beyond midnight, nor beyond a change of the clock: what the wall shows
    then is read from it then. So an hour that is skipped, or comes twice, needs no rule.
    """
    local = moment.astimezone(zone)
    wall = local.replace(tzinfo=None) - datetime.combine(local.date(), datetime.min.time())
    windows = rule.windows(local.date(), holidays)
    ends = [window.closes for window in windows if window.opens <= wall < window.closes]
    change = max(ends) if ends else min((w.opens for w in windows if w.opens > wall), default=DAY)
    return bool(ends), _before_clock_change(zone, moment, moment + (change - wall))


def _before_clock_change(zone: ZoneInfo, moment: datetime, end: datetime) -> datetime:
    """Return `end`, or the instant before it at which the clock is set forward or back."""
    offset = moment.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == offset:
        return end
    # Clocks change at whole seconds, and `end` is one.
    low, high = int(moment.timestamp()), int(end.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, zone).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)
