"""Places: whose hours hold for a recipient, and every time zone in which they may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z")
_REGION: Final = re.compile(r"[A-Z0-9]{1,3}\Z")
_NO_PLACE: Final = frozenset({"Factory", "localtime"})
"""Names in the zone database that say nothing of where somebody is."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What quiet hours need to know of a recipient and a message.

    `country` is an ISO 3166 code and `region` the part of an ISO 3166-2 code after the dash, each
    '' where nobody knows; `zones` are IANA names, none where nobody knows.
    """

    message_class: str
    country: str
    region: str
    zones: tuple[str, ...]

    def as_text(self) -> str:
        """Return the place in one line, as the ledger keeps it."""
        return "|".join((self.message_class, self.country, self.region, ",".join(self.zones)))

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place that a line of `as_text` describes."""
        message_class, country, region, zones = text.split("|")
        return cls(
            message_class=message_class,
            country=country,
            region=region,
            zones=tuple(zones.split(",")) if zones else (),
        )


def find_place(
    message_class: str,
    *,
    country: str = "",
    region: str = "",
    zones: tuple[str, ...],
) -> Place:
    """Return a recipient's place, from a number's country or cells of their row.

    A region may be written TX or US-TX; what is no code counts as blank.
    """
    known = _code(_COUNTRY, country)
    return Place(
        message_class=message_class,
        country=known,
        region=_code(_REGION, region.strip().upper().removeprefix(f"{known}-")),
        zones=zones,
    )


def find_zones(timezone: str, number: str | None, *, geographic: bool) -> tuple[str, ...]:
    """Return the zone that is named, else all that a number may be in, () where nobody knows.

    A name that the zone database lacks counts as blank. The number is a valid one in E.164; where
    it is not `geographic`, it says no more than its country. It says where it was given out, not
    where the phone is.
    """
    if timezone in _zone_names():
        return (timezone,)
    if number is None:
        return ()
    found = _zones_of(number, geographic=geographic)
    return found if _zone_names().issuperset(found) else ()


def _zones_of(number: str, *, geographic: bool) -> tuple[str, ...]:
    """Return a number's zones as `phonenumbers.timezone` does, which would parse it a second time.

    A test holds the two against each other.
    """
    digits = number.removeprefix("+")
    most = TIMEZONE_LONGEST_PREFIX if geographic else len(_calling_code(digits))
    for length in range(most, 0, -1):
        if digits[:length] in TIMEZONE_DATA:
            return tuple(TIMEZONE_DATA[digits[:length]])
    return ()


def _calling_code(digits: str) -> str:
    """Return the country calling code; none is another one's beginning."""
    starts = (digits[:length] for length in range(1, min(3, len(digits)) + 1))
    return next((one for one in starts if int(one) in COUNTRY_CODE_TO_REGION_CODE), "")


def _code(form: re.Pattern[str], text: str) -> str:
    plain = text.strip().upper()
    return plain if form.match(plain) else ""


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACE
