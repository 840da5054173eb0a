"""The filters of templates: what a value is in the recipient's locale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast, get_args

from babel.numbers import list_currencies
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from genesys_cloud.outbound.direction import isolate
from genesys_cloud.outbound.formats import (
    LOCALE,
    DateFormat,
    TimeFormat,
    format_day,
    format_money,
    format_number,
    format_time_of_day,
    read_number,
)
from genesys_cloud.outbound.graphemes import initial
from genesys_cloud.outbound.plurals import OTHER, plural_category

Filter = Callable[..., str]


def _date(context: Context, value: object, form: str = "long") -> str:
    if form not in get_args(DateFormat):
        raise ValueError("a date's format is short, medium, long or full")
    return _absent(value) or format_day(str(value), context[LOCALE], cast(DateFormat, form))


def _time(context: Context, value: object, form: str = "short") -> str:
    if form not in get_args(TimeFormat):
        raise ValueError("a time's format is short or medium")
    return _absent(value) or format_time_of_day(str(value), context[LOCALE], cast(TimeFormat, form))


def _number(context: Context, value: object) -> str:
    return _absent(value) or format_number(str(value), context[LOCALE])


def _money(context: Context, value: object, currency: str) -> str:
    if currency not in list_currencies():
        raise ValueError("a currency is an ISO 4217 code such as EUR")
    return _absent(value) or format_money(str(value), currency, context[LOCALE])


def _plural(context: Context, value: object, **forms: object) -> str:
    if absent := _absent(value):
        return absent
    category = plural_category(read_number(str(value)), context[LOCALE])
    # A form that the file leaves out is the general one's, as everywhere where CLDR is used.
    return str(forms.get(category, forms[OTHER]))


def _isolate(context: Context, value: object) -> str:
    return _absent(value) or isolate(str(value), context[LOCALE])


def _initial(value: object) -> str:
    return _absent(value) or initial(str(value))


def _absent(value: object) -> str:
    # An undefined value notes its own absence when it is written out.
    return str(value) or " " if isinstance(value, Undefined) else ""


FILTERS: Final[dict[str, Filter]] = {
    "date": pass_context(_date),
    "time": pass_context(_time),
    "number": pass_context(_number),
    "money": pass_context(_money),
    "plural": pass_context(_plural),
    "isolate": pass_context(_isolate),
    "initial": _initial,
}
