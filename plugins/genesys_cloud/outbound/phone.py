"""Phone numbers: from what a contact list holds to E.164, or why not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import phonenumbers
from phonenumbers import PhoneNumberType

from genesys_cloud.outbound.messages import mask_address
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

_NO_COUNTRY = "001"
"""The region that phonenumbers gives to numbers of no country, such as +883."""


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A valid number; `country` is an ISO 3166 code, None for numbers of no country."""

    e164: str = field(repr=False)
    country: str | None


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
    try:
        number = phonenumbers.parse(digits, None)
    except phonenumbers.NumberParseException:
        return _invalid(digits)
    region = phonenumbers.region_code_for_number(number)
    kind = phonenumbers.number_type(number)
    # phonenumbers calls a number valid exactly when its type is known; one look-up serves both.
    if region is None or kind == PhoneNumberType.UNKNOWN:
        return _invalid(digits)
    if kind in NOT_TEXTABLE:
        return Violation(
            code="number_not_textable",
            message=f"The number {mask_address(digits)} is a {NOT_TEXTABLE[kind]} number, which "
            "receives no messages.",
        )
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164=e164, country=None if region == _NO_COUNTRY else region)


def _invalid(digits: str) -> Violation:
    return Violation(
        code="number_invalid",
        message=f"The number {mask_address(digits)} is not a valid number of any numbering "
        "plan; nor are the +1555000… numbers of examples. Correct it in the contact list.",
    )
