"""The quiet hours policy: dated data with its sources, in include/policies/quiet_hours.toml."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from genesys_cloud.outbound.campaign import MESSAGE_CLASSES
from genesys_cloud.outbound.quiet_hours import DAY, EVERYWHERE, QuietHours, Rule, Window

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK: Final = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?|24:00)\Z")
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z")
_REGION: Final = re.compile(r"[A-Z0-9]{1,3}\Z")

_RULE: Final = frozenset({"country", "classes", "days", "opens", "closes", "source"})
_OPTIONAL: Final = frozenset({"region", "closed_on_holidays"})
_HOLIDAYS: Final = frozenset({"country", "year", "dates", "source"})


def parse_policy(text: str) -> QuietHours:
    """Read a policy; raises ValueError, with a sentence, for what is not perfectly clear."""
    table = tomllib.loads(text)
    if unknown := sorted(set(table) - {"dated", "rules", "holidays"}):
        raise ValueError(f"It holds what nobody knows: {', '.join(unknown)}.")
    dated = table.get("dated")
    if not _is_date(dated):
        raise ValueError("`dated` is not a date, such as 2026-11-23.")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return QuietHours(
        version=f"{dated}.{digest}",
        rules=_rules(_tables(table, "rules")),
        holidays=_holidays(_tables(table, "holidays")),
    )


def _tables(table: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"`{name}` is written [[{name}]], once for each.")
    return found


def _rules(tables: Sequence[Mapping[str, Any]]) -> Mapping[tuple[str, str, str], Rule]:
    """Return the rules by what they hold for; several of one place make up its week."""
    weeks: dict[tuple[str, str, str], dict[int, list[Window]]] = {}
    sources: dict[tuple[str, str, str], list[str]] = {}
    for number, table in enumerate(tables, start=1):
        where = f"rule {number}"
        _only(table, _RULE, _OPTIONAL, where)
        country, region = _country(table, where), _region(table, where)
        window = _window(table, where)
        for name in _words(table, "classes", MESSAGE_CLASSES, where):
            key = (name, country, region)
            sources.setdefault(key, []).append(_source(table, where))
            for day in _words(table, "days", DAYS, where):
                _add(weeks.setdefault(key, {}).setdefault(DAYS.index(day), []), window, where)
    return {key: Rule(week=week, sources=sources[key]) for key, week in weeks.items()}


def _add(windows: list[Window], window: Window, where: str) -> None:
    if any(window.opens < other.closes and other.opens < window.closes for other in windows):
        raise ValueError(f"The window of {where} overlaps another one of the same day and place.")
    windows.append(window)


def _holidays(tables: Sequence[Mapping[str, Any]]) -> Mapping[str, frozenset[date]]:
    found: dict[str, frozenset[date]] = {}
    for number, table in enumerate(tables, start=1):
        where = f"holidays {number}"
        _only(table, _HOLIDAYS, frozenset(), where)
        country = _country(table, where)
        _source(table, where)
        year, dates = table["year"], table["dates"]
        if country == EVERYWHERE:
            raise ValueError(f"No day is a holiday everywhere: give {where} a country.")
        if not isinstance(dates, list) or not dates or not all(map(_is_date, dates)):
            raise ValueError(f"The dates of {where} are no list of dates such as 2026-12-25.")
        if wrong := [day for day in dates if day.year != year]:
            raise ValueError(f"{wrong[0]} in {where} is not in {year!r}, its year.")
        found[country] = found.get(country, frozenset()) | frozenset(dates)
    return found


def _window(table: Mapping[str, Any], where: str) -> Window:
    opens, closes = (_clock(table, name, where) for name in ("opens", "closes"))
    if not opens < closes:
        raise ValueError(
            f"The window of {where} closes before it opens; one over midnight is two rules."
        )
    closed_on_holidays = table.get("closed_on_holidays", False)
    if not isinstance(closed_on_holidays, bool):
        raise ValueError(f"closed_on_holidays of {where} is neither true nor false.")
    if closed_on_holidays and table["country"] == EVERYWHERE:
        raise ValueError(f"Nobody knows the holidays of everywhere: give {where} a country.")
    return Window(opens=opens, closes=closes, on_holidays=not closed_on_holidays)


def _clock(table: Mapping[str, Any], name: str, where: str) -> timedelta:
    text = table[name]
    found = _CLOCK.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            f'`{name}` of {where} is {text!r}; write a time such as "08:00", or "24:00" for the '
            "end of the day."
        )
    if found.group(1) is None:
        return DAY
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _country(table: Mapping[str, Any], where: str) -> str:
    country = table["country"]
    if not isinstance(country, str) or not (country == EVERYWHERE or _COUNTRY.match(country)):
        raise ValueError(
            f'The country of {where} is {country!r}; write an ISO 3166 code such as "US", or '
            f'"{EVERYWHERE}" for everywhere else.'
        )
    return country


def _region(table: Mapping[str, Any], where: str) -> str:
    region = table.get("region", "")
    if region == "":
        return ""
    if not isinstance(region, str) or not _REGION.match(region) or table["country"] == EVERYWHERE:
        raise ValueError(
            f"The region of {where} is {region!r}; write what follows the dash of the country's "
            'ISO 3166-2 code, such as "TX" of US-TX.'
        )
    return region


def _words(table: Mapping[str, Any], name: str, known: Sequence[str], where: str) -> Sequence[str]:
    words = table[name]
    if (
        not isinstance(words, list)
        or not words
        or any(word not in known for word in words)
        or len(set(words)) != len(words)
    ):
        raise ValueError(f"`{name}` of {where} is no list of different {', '.join(known)}.")
    return words


def _source(table: Mapping[str, Any], where: str) -> str:
    source = table["source"]
    if not isinstance(source, str) or not source.strip():
        raise ValueError(f"The source of {where} says nothing.")
    return source


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _only(
    table: Mapping[str, Any], names: frozenset[str], optional: frozenset[str], where: str
) -> None:
    if unknown := sorted(set(table) - names - optional):
        raise ValueError(f"{where.capitalize()} holds what nobody knows: {', '.join(unknown)}.")
    if missing := sorted(names - set(table)):
        raise ValueError(f"{where.capitalize()} lacks {', '.join(missing)}.")
