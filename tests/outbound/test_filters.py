"""Plural, initial, isolate and time: what they make of any value, in any language."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from babel import Locale
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from genesys_cloud.errors import TemplateError
from genesys_cloud.outbound.direction import FIRST_STRONG, POP, isolate
from genesys_cloud.outbound.graphemes import initial
from genesys_cloud.outbound.plurals import CATEGORIES, plural_category, usual_categories
from genesys_cloud.outbound.violations import Refused
from tests.outbound.libraries import Write

ITEMS = '{{ n | number }} {{ n | plural(one="item", other="items") }}'
RUSSIAN = '{{ n }} {{ n | plural(one="день", few="дня", many="дней", other="дня") }}'


def render(library: Write, source: str, locale: str = "en", **variables: str) -> str:
    try:
        return library({"t/en.j2": source}).load("t", "sms").render("en", locale, variables)
    except Refused as refused:
        return " ".join(violation.code for violation in refused.violations)


# plural


@pytest.mark.parametrize(
    ("source", "locale", "value", "expected"),
    [
        (ITEMS, "en", "1", "1 item"),
        (ITEMS, "en", "0", "0 items"),
        (ITEMS, "en", "1.0", "1 items"),  # CLDR: a number with decimals is other
        (ITEMS, "fr", "0", "0 item"),
        (ITEMS, "de", "1200", "1.200 items"),
        (RUSSIAN, "ru", "1", "1 день"),
        (RUSSIAN, "ru", "3", "3 дня"),
        (RUSSIAN, "ru_UA", "11", "11 дней"),
        (RUSSIAN, "ru", "21", "21 день"),
        (RUSSIAN, "ru", "1.5", "1.5 дня"),
        ('{{ n | plural(other="x", two="y") }}', "ar", "2", "y"),
        ('{{ n | plural(other="x") }}', "ru", "2", "x"),  # a form that is left out
        (ITEMS, "en", "many", "invalid_value"),
        (ITEMS, "en", "1e9", "invalid_value"),
        (ITEMS, "en", " ", "missing_variable"),
        ('{{ (n | int + 1) | plural(one="a", other="b") }}', "en", "0", "a"),
        ('{{ n | plural(one=name, other="b") }}', "en", "1", "missing_variable"),
        ('{{ n | plural(one=name, other="b") }}', "en", "2", "b"),
    ],
)
def test_the_form_follows_the_number_and_the_language(
    library: Write, source: str, locale: str, value: str, expected: str
) -> None:
    assert render(library, source, locale, n=value) == expected


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('plural(one="item")', "line 2: plural needs other=..."),
        ("plural", "plural needs other=..."),
        ('plural("item", "items")', "plural takes forms by name"),
        ('plural(other="items", ones="item")', "of zero, one, two, few, many, other"),
        ("plural(**name)", "plural takes forms by name"),
        ("plural(*name)", "plural takes forms by name"),
    ],
)
def test_a_plural_that_lacks_a_form_for_all_is_found_at_once(
    library: Write, call: str, words: str
) -> None:
    with pytest.raises(TemplateError, match=words):
        render(library, "\n{{ n | " + call + " }}")


NUMBERS = st.integers(0, 10**6) | st.decimals(0, 1000, places=2)


@given(st.sampled_from(sorted(set(locale_identifiers()) - {"root"})), NUMBERS)
def test_every_language_has_the_category_that_babel_says(
    locale: str, number: int | Decimal
) -> None:
    found = plural_category(Decimal(number), locale)
    assert found == Locale.parse(locale).plural_form(number)
    assert found in CATEGORIES
    if isinstance(number, int) and number <= 1000:
        assert found in usual_categories(locale)


# initial


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ana", "A"),
        ("élodie", "é"),
        ("e\u0301lodie", "é"),
        ("q\u0323\u0307x", "q\u0323\u0307"),  # two marks, and no letter that has both
        ("李小龙", "李"),
        ("𠮷田", "𠮷"),  # over U+FFFF: two UTF-16 units
        ("क्षमा", "क्ष"),
        ("நிலா", "நி"),
        ("한국", "한"),
        ("\u1112\u1161\u11ab", "한"),  # the same in parts
        ("محمد", "م"),
        ("3M", "M"),
        ("👩‍👩‍👧 Rosa", "R"),
        ("'t Hart", "t"),
        ("\u0301Ana", "A"),
        ("\u200d\u200bAna", "A"),
        ("ﬁ", "ﬁ"),
        ("", ""),
        ("007", ""),
        ("👩‍👩‍👧", ""),
        ("\u0301\u0301", ""),
        ("\u200d", ""),
        ("-", ""),
    ],
)
def test_the_first_letter_is_whole_or_nothing(name: str, expected: str) -> None:
    assert initial(name) == expected


def test_a_name_without_a_letter_leaves_the_choice_to_the_template(library: Write) -> None:
    assert render(library, "{{ name | initial or name }}", name="007") == "007"
    assert render(library, "Dear {{ name | initial }}.", name="Ana") == "Dear A."
    assert render(library, "Dear {{ name | initial }}.") == "missing_variable"


@given(st.text())
def test_no_name_breaks_it_and_what_it_gives_is_at_the_first_letter(name: str) -> None:
    text = unicodedata.normalize("NFC", name)
    found = initial(name)
    letters = [one for one in text if unicodedata.category(one).startswith("L")]
    assert bool(found) == bool(letters)
    if found:
        assert found[0] == letters[0]
        assert found in text


MARKED = st.text(st.sampled_from("aé李かक्षமி한م" + "\u0301\u0323\u200d्ा"), min_size=1, max_size=8)


@given(MARKED)
def test_no_letter_is_cut_from_what_belongs_to_it(name: str) -> None:
    # The oracle ends clusters before a letter that a virama binds; ours goes on, and never ends
    # within one of its clusters.
    text = unicodedata.normalize("NFC", name)
    found = initial(name)
    if found:
        rest = text[text.index(found) + len(found) :]
        clusters = list(iter_graphemes(text[text.index(found) :]))
        ends = {len("".join(clusters[:number])) for number in range(len(clusters) + 1)}
        assert len(found) in ends
        assert not rest or not unicodedata.category(rest[0]).startswith("M")


# isolate


@pytest.mark.parametrize(
    ("value", "locale", "wrapped"),
    [
        ("Ana", "ar", True),
        ("+1 202 555 0123", "he_IL", True),
        ("محمد", "ar", False),
        ("٣", "ar", False),  # digits of the script
        ("Ana", "en", False),  # would turn the SMS into UCS-2 for nothing
        ("Élodie", "fr", False),
        ("محمد", "en", True),
        ("דוד", "de_DE", True),
        ("!", "ar", False),
    ],
)
def test_a_value_is_kept_apart_where_it_runs_the_other_way(
    value: str, locale: str, wrapped: bool
) -> None:
    assert isolate(value, locale) == (f"{FIRST_STRONG}{value}{POP}" if wrapped else value)


def test_the_filter_isolates_for_the_recipient_s_locale(library: Write) -> None:
    source = "{{ name | isolate }}!"
    assert render(library, source, "ar", name="Ana") == "\u2068Ana\u2069!"
    assert render(library, source, "en", name="Ana") == "Ana!"
    assert render(library, source, "ar") == "missing_variable"


# time


@pytest.mark.parametrize(
    ("value", "locale", "expected"),
    [
        ("15:30", "en_US", "3:30 PM"),  # a plain space: U+202F is not in GSM-7
        ("15:30", "es", "15:30"),
        ("2024-02-01T15:30:59Z", "de", "15:30"),
        ("2024-02-01 09:05+05:00", "fr", "09:05"),
        ("2024-02-01", "en", "invalid_value"),
        ("2024", "en", "invalid_value"),
        ("25:00", "en", "invalid_value"),
        ("2024-13-01T10:00", "en", "invalid_value"),
        ("noon", "en", "invalid_value"),
        ("", "en", "missing_variable"),
    ],
)
def test_a_time_of_day_is_written_as_the_locale_does(
    library: Write, value: str, locale: str, expected: str
) -> None:
    assert render(library, "{{ at | time }}", locale, at=value) == expected


def test_a_time_has_two_formats(library: Write) -> None:
    assert render(library, "{{ at | time('medium') }}", "en", at="15:30:05") == "3:30:05 PM"
    assert render(library, "{{ at | time('tiny') }}", "en", at="15:30:05") == "template_refused"
