"""Numbering plans: which country a number belongs to and what kind it is, for a million numbers.

phonenumbers looks each number up several times and compiles on the way. Here its own data are
compiled once for each country code; a number that its parser would change, such as one with the
national 0, is left to it. Tests hold that both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    REGION_CODE_FOR_NON_GEO_ENTITY,
    PhoneMetadata,
    PhoneNumberDesc,
    PhoneNumberType,
)

LONGEST_CODE: Final = 3
"""Digits of a country code."""

_IN_ORDER: Final = (
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
)
"""The kinds that come before mobile and fixed lines: the first one that fits is the number's."""

Matcher = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a valid number is: its E.164 form, region and kind as phonenumbers names them."""

    e164: str
    country_code: int
    region: str
    kind: int


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The numbers of one region, after the country code."""

    region: str
    leading: re.Pattern[str] | None
    general: Matcher
    kinds: Sequence[tuple[Matcher, int]]
    fixed: Matcher
    mobile: Matcher
    same: bool

    def kind_of(self, digits: str) -> int:
        """Return the kind of a number, UNKNOWN for one that nobody can have."""
        if not self.general(digits):
            return PhoneNumberType.UNKNOWN
        for fits, kind in self.kinds:
            if fits(digits):
                return kind
        if self.fixed(digits):
            either = self.same or self.mobile(digits)
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if either else PhoneNumberType.FIXED_LINE
        mobile = not self.same and self.mobile(digits)
        return PhoneNumberType.MOBILE if mobile else PhoneNumberType.UNKNOWN


def find_line(e164: str) -> Line | None:
    """Return the line that + and digits reach, None where no numbering plan has the number."""
    code = _country_code(e164)
    if code is None:
        return None
    national = e164[1 + len(str(code)) :]
    plans, changed = _compiled(code)
    if national[0] == "0" or (changed is not None and changed.match(national)):
        return _parsed(e164)
    for plan in plans:
        if plan.leading is not None and len(plans) > 1 and not plan.leading.match(national):
            continue
        kind = plan.kind_of(national)
        if kind != PhoneNumberType.UNKNOWN:
            return Line(e164=e164, country_code=code, region=plan.region, kind=kind)
        if plan.leading is not None:
            return None
    return None


def _country_code(e164: str) -> int | None:
    codes = (int(e164[1 : 1 + size]) for size in range(1, LONGEST_CODE + 1))
    return next((code for code in codes if code in COUNTRY_CODE_TO_REGION_CODE), None)


def _parsed(e164: str) -> Line | None:
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    kind = phonenumbers.number_type(number)
    # phonenumbers calls a number valid exactly when its type is known; one look-up serves both.
    if region is None or kind == PhoneNumberType.UNKNOWN:
        return None
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Line(e164=text, country_code=number.country_code or 0, region=region, kind=kind)


@cache
def _compiled(code: int) -> tuple[Sequence[_Plan], re.Pattern[str] | None]:
    """Return the plans under a country code, and what its parser takes off a number's start.

    As many are kept as there are country codes.
    """
    regions = COUNTRY_CODE_TO_REGION_CODE[code]
    found = {region: _metadata(code, region) for region in regions}
    prefix = found[regions[0]].national_prefix_for_parsing
    plans = [_plan(region, metadata) for region, metadata in found.items()]
    return plans, re.compile(prefix) if prefix else None


def _metadata(code: int, region: str) -> PhoneMetadata:
    metadata = (
        PhoneMetadata.metadata_for_nongeo_region(code)
        if region == REGION_CODE_FOR_NON_GEO_ENTITY
        else PhoneMetadata.metadata_for_region(region)
    )
    assert metadata is not None, region  # noqa: S101 - phonenumbers has data of every code it names
    return metadata


def _plan(region: str, metadata: PhoneMetadata) -> _Plan:
    known = ((getattr(metadata, name), kind) for name, kind in _IN_ORDER)
    leading = metadata.leading_digits
    return _Plan(
        region=region,
        leading=re.compile(leading) if leading is not None else None,
        general=_matcher(metadata.general_desc),
        kinds=[(_matcher(desc), kind) for desc, kind in known if _has_numbers(desc)],
        fixed=_matcher(metadata.fixed_line),
        mobile=_matcher(metadata.mobile),
        same=metadata.same_mobile_and_fixed_line_pattern,
    )


def _has_numbers(desc: PhoneNumberDesc | None) -> bool:
    return desc is not None and bool(desc.national_number_pattern)


def _matcher(desc: PhoneNumberDesc | None) -> Matcher:
    if desc is None or not desc.national_number_pattern:
        return lambda _digits: False
    lengths = frozenset(desc.possible_length)
    fits = re.compile(desc.national_number_pattern).fullmatch
    return lambda digits: (not lengths or len(digits) in lengths) and fits(digits) is not None
