"""Dates, times, numbers and money as the recipient's locale writes them."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

LOCALE: Final = "the recipient's locale"
"""Key of the locale in a rendering context; no template and no column can spell it."""

PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?\Z")
"""What a number cell may hold; no exponents, which would print as millions of zeros."""

CACHED_VALUES: Final = 16_384
"""Distinct (value, locale) pairs that are kept; a list's dates repeat."""

DateFormat = Literal["short", "medium", "long", "full"]

TimeFormat = Literal["short", "medium"]

_PLAIN_SPACES = str.maketrans("\u00a0\u202f", "  ")
"""The no-break spaces of CLDR are not in GSM-7: one of them would double an SMS."""


class InvalidValueError(ValueError):
    """A filter can't read a value; the message says what it reads, never the value."""

    def __init__(self, value: object, expected: str) -> None:
        super().__init__(expected)
        self.value = value


@lru_cache(maxsize=CACHED_VALUES)
def format_day(value: str, locale: str, form: DateFormat = "long") -> str:
    """Return an ISO date or date-time as a day in `locale`; a time of day is left out."""
    try:
        day: date = datetime.fromisoformat(value.strip())
    except ValueError:
        raise InvalidValueError(value, "an ISO date such as 2024-02-01") from None
    return format_date(day, format=form, locale=locale).translate(_PLAIN_SPACES)


@lru_cache(maxsize=CACHED_VALUES)
def format_time_of_day(value: str, locale: str, form: TimeFormat = "short") -> str:
    """Return the time of day of an ISO time or date-time in `locale`, with no offset applied."""
    day, _, clock = value.strip().replace(" ", "T", 1).rpartition("T")
    try:
        # Without a colon it may be a year; a date alone would read as midnight.
        if ":" not in clock:
            raise ValueError
        if day:
            date.fromisoformat(day)
        of_day = time.fromisoformat(clock).replace(tzinfo=None)
    except ValueError:
        raise InvalidValueError(value, "an ISO time such as 15:30 or 2024-02-01T15:30") from None
    return format_time(of_day, format=form, locale=locale).translate(_PLAIN_SPACES)


@lru_cache(maxsize=CACHED_VALUES)
def format_number(value: str, locale: str) -> str:
    """Return a decimal number with the separators of `locale`."""
    return str(format_decimal(read_number(value), locale=locale)).translate(_PLAIN_SPACES)


@lru_cache(maxsize=CACHED_VALUES)
def format_money(value: str, currency: str, locale: str) -> str:
    """Return an amount of `currency` (ISO 4217) as `locale` writes it."""
    amount = str(format_currency(read_number(value), currency, locale=locale))
    return amount.translate(_PLAIN_SPACES)


def read_number(value: str) -> Decimal:
    """Return the number that a cell holds; raises InvalidValueError where it is none."""
    if not PLAIN_NUMBER.match(value.strip()):
        raise InvalidValueError(value, "a number such as 1234.50")
    return Decimal(value.strip())
