"""The filters of templates: dates, numbers and money as the recipient's locale writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal, cast, get_args

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, list_currencies
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

LOCALE: Final = "the recipient's locale"
"""Key of the locale in a rendering context; no template and no column can spell it."""

PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?\Z")
"""What a number cell may hold; no exponents, which would print as millions of zeros."""

CACHED_VALUES: Final = 16_384
"""Distinct (value, locale) pairs that are kept; a list's dates repeat."""

DateFormat = Literal["short", "medium", "long", "full"]

_PLAIN_SPACES = str.maketrans("\u00a0\u202f", "  ")
"""The no-break spaces of CLDR are not in GSM-7: one of them would double an SMS."""


class InvalidValueError(ValueError):
    """A filter can't read a value; the message says what it reads, never the value."""

    def __init__(self, value: object, expected: str) -> None:
        super().__init__(expected)
        self.value = value


Filter = Callable[..., str]


def _date(context: Context, value: object, form: str = "long") -> str:
    if form not in get_args(DateFormat):
        raise ValueError("a date's format is short, medium, long or full")
    return _known(value) or format_day(str(value), context[LOCALE], cast(DateFormat, form))


def _number(context: Context, value: object) -> str:
    return _known(value) or format_number(str(value), context[LOCALE])


def _money(context: Context, value: object, currency: str) -> str:
    if currency not in list_currencies():
        raise ValueError("a currency is an ISO 4217 code such as EUR")
    return _known(value) or format_money(str(value), currency, context[LOCALE])


def _known(value: object) -> str:
    # An undefined value notes its own absence when it is written out.
    return str(value) or " " if isinstance(value, Undefined) else ""


FILTERS: Final[dict[str, Filter]] = {
    "date": pass_context(_date),
    "number": pass_context(_number),
    "money": pass_context(_money),
}


@lru_cache(maxsize=CACHED_VALUES)
def format_day(value: str, locale: str, form: DateFormat = "long") -> str:
    """Return an ISO date or date-time as a day in `locale`; a time of day is left out."""
    try:
        day: date = datetime.fromisoformat(value.strip())
    except ValueError:
        raise InvalidValueError(value, "an ISO date such as 2024-02-01") from None
    return format_date(day, format=form, locale=locale).translate(_PLAIN_SPACES)


@lru_cache(maxsize=CACHED_VALUES)
def format_number(value: str, locale: str) -> str:
    """Return a decimal number with the separators of `locale`."""
    return str(format_decimal(_decimal(value), locale=locale)).translate(_PLAIN_SPACES)


@lru_cache(maxsize=CACHED_VALUES)
def format_money(value: str, currency: str, locale: str) -> str:
    """Return an amount of `currency` (ISO 4217) as `locale` writes it."""
    amount = str(format_currency(_decimal(value), currency, locale=locale))
    return amount.translate(_PLAIN_SPACES)


def _decimal(value: str) -> Decimal:
    if not PLAIN_NUMBER.match(value.strip()):
        raise InvalidValueError(value, "a number such as 1234.50")
    return Decimal(value.strip())
