"""Numbering plans held against phonenumbers' own functions, which look everything up anew."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat, PhoneNumberType

from genesys_cloud.outbound.numbering import Line, find_line

KINDS = range(PhoneNumberType.FIXED_LINE, PhoneNumberType.VOICEMAIL + 1)


def expected(e164: str) -> Line | None:
    """What phonenumbers says of a number."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return Line(
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        country_code=number.country_code or 0,
        region=phonenumbers.region_code_for_number(number) or "",
        kind=phonenumbers.number_type(number),
    )


def examples() -> list[str]:
    """An example of every kind of number in every region, and those of no country."""
    regions = [region for many in COUNTRY_CODE_TO_REGION_CODE.values() for region in many]
    found = [phonenumbers.example_number_for_type(r, kind) for r in regions for kind in KINDS]
    found += [
        phonenumbers.example_number_for_non_geo_entity(code)
        for code, many in COUNTRY_CODE_TO_REGION_CODE.items()
        if many == ("001",)
    ]
    return sorted({phonenumbers.format_number(n, PhoneNumberFormat.E164) for n in found if n})


EXAMPLES = examples()


def test_every_example_of_every_region_is_what_phonenumbers_says() -> None:
    assert len(EXAMPLES) > 1_000
    assert {text: find_line(text) for text in EXAMPLES} == {t: expected(t) for t in EXAMPLES}


@pytest.mark.parametrize(
    "text",
    [
        "+493023125000",
        "+4903023125000",  # with the national 0
        "+390612345678",  # an Italian number keeps its 0
        "+5491123456789",
        "+541115123456789",  # too long
        "+54111512345678",  # the Argentine 15 becomes a 9
        "+12025550123",
        "+112025550123",  # with the national 1
        "+16135550123",
        "+77012345678",
        "+447911123456",
        "+441481256789",
        "+2124423",
        "+999123456789",
        "+88216123456",
    ],
)
def test_what_the_parser_takes_off_or_changes(text: str) -> None:
    assert find_line(text) == expected(text)


@settings(max_examples=1_500, deadline=None)
@given(
    st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE)),
    st.text("0123456789", min_size=4, max_size=12),
)
def test_any_digits_after_a_country_code(code: int, digits: str) -> None:
    text = f"+{code}{digits}"[:16].ljust(8, "1")
    assert find_line(text) == expected(text)


@settings(max_examples=1_500, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_valid_number_with_some_digits_changed(example: str, data: st.DataObject) -> None:
    text = list(example)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(2, len(text) - 1))
        text[place] = data.draw(st.sampled_from("0123456789"))
    changed = "".join(text)
    assert find_line(changed) == expected(changed)
