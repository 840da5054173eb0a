"""How figures are written for people; every function takes null and writes a dash."""

from __future__ import annotations

from datetime import UTC, date, datetime

DASH = "–"
_MINUTE_MS = 60_000


def count(number: float | None) -> str:
    """Return a count with thousands apart, by a space that does not break."""
    return DASH if number is None else f"{number:,.0f}".replace(",", "\u202f")


def rows(number: int) -> str:
    """Return a number of rows."""
    return f"{count(number)} {'row' if number == 1 else 'rows'}"


def duration(ms: float | None) -> str:
    """Return milliseconds in the unit that reads best: ms, s, or minutes and seconds."""
    if ms is None:
        return DASH
    if round(ms) < 1_000:
        return f"{ms:.0f} ms"
    if round(ms, -1) < _MINUTE_MS:
        return f"{ms / 1_000:.2f} s"
    minutes, seconds = divmod(round(ms / 1_000), 60)
    return f"{count(minutes)} min {seconds} s"


def share(part: int, whole: int) -> str:
    """Return part / whole in percent with one decimal."""
    return f"{100 * part / whole:.1f}%" if whole else DASH


def interval(bounds: dict[str, float] | None) -> str:
    """Return a confidence interval in percent with one decimal."""
    return f"{bounds['low']:.1f}–{bounds['high']:.1f}%" if bounds else DASH


def instant(moment: datetime) -> str:
    """Return a time to the second, in UTC and saying so."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def long_date(day: date) -> str:
    """Return a date with its weekday and the month as a word."""
    return f"{day:%A}, {day.day} {day:%B %Y}"
