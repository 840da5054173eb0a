"""Phone numbers: from what a contact list holds to E.164, or why not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import phonenumbers
from phonenumbers import REGION_CODE_FOR_NON_GEO_ENTITY, PhoneNumberType

from genesys_cloud.outbound.messages import mask_address
from genesys_cloud.outbound.numbering import find_line
from genesys_cloud.outbound.violations import Violation

SEPARATORS = str.maketrans("", "", " \t\u00a0\u2009\u202f-\u2010\u2011\u2012\u2013\u2014.()")
"""What people put between digits: spaces, dashes, dots, parentheses."""

E164_SHAPE = re.compile(r"\+[1-9][0-9]{6,14}\Z")
"""ITU-T E.164: at most 15 digits, the country code first."""

NOT_TEXTABLE = {
    PhoneNumberType.TOLL_FREE: "toll-free",
    PhoneNumberType.PREMIUM_RATE: "premium-rate",
    PhoneNumberType.SHARED_COST: "shared-cost",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company-wide",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
"""Kinds of number that receive no messages, or that charge those who send them."""


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A valid number; `country` is an ISO 3166 code, None for numbers of no country.

    A `geographic` one tells the part of its country where it was given out.
    """

    e164: str = field(repr=False)
    country: str | None
    geographic: bool


def strip_separators(text: str) -> str:
    """Return a number as typed by people without spaces, dashes, dots and parentheses."""
    return text.translate(SEPARATORS)


def parse_phone(text: str) -> Phone | Violation:
    """Return the number that `text` is in E.164, or why no message can go to it.

    A leading 00 is refused: which international prefix it stands for depends on where one is.
    """
    digits = strip_separators(text)
    if not digits:
        return Violation(code="address_missing", message="The address is missing.")
    if not E164_SHAPE.match(digits):
        return Violation(
            code="address_not_e164",
            message=f"The address {mask_address(digits)} is not a number in E.164: write + and the "
            "country code first, then digits only, such as +12025550123.",
        )
    return _validate(digits)


def _validate(digits: str) -> Phone | Violation:
    line = find_line(digits)
    if line is None:
        return _invalid(digits)
    if line.kind in NOT_TEXTABLE:
        return Violation(
            code="number_not_textable",
            message=f"The number {mask_address(digits)} is a {NOT_TEXTABLE[line.kind]} number, "
            "which receives no messages.",
        )
    return Phone(
        e164=line.e164,
        country=None if line.region == REGION_CODE_FOR_NON_GEO_ENTITY else line.region,
        geographic=phonenumbers.is_number_type_geographical(line.kind, line.country_code),
    )


def _invalid(digits: str) -> Violation:
    return Violation(
        code="number_invalid",
        message=f"The number {mask_address(digits)} is not a valid number of any numbering "
        "plan; nor are the +1555000… numbers of examples. Correct it in the contact list.",
    )
