from __future__ import annotations

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.languages import choose_language, normalise_tag

FOUR = frozenset({"en", "es", "fr", "de"})


def choose(
    tag: str = "",
    country: str | None = None,
    default: str = "en",
    available: frozenset[str] = FOUR,
) -> tuple[str, str] | None:
    choice = choose_language(tag=tag, country=country, default=default, available=available)
    return choice and (choice.language, choice.locale)


@pytest.mark.parametrize("tag", ["es-MX", "es_MX", "ES-mx", " es-mx "])
def test_a_regional_tag_falls_back_to_its_language_and_keeps_its_locale(tag: str) -> None:
    assert choose(tag) == ("es", "es_MX")


def test_the_nearest_language_of_the_template_wins() -> None:
    available = frozenset({"en", "es", "es-MX", "zh-Hant"})
    assert choose("es-MX", available=available) == ("es-MX", "es_MX")
    assert choose("es-AR", available=available) == ("es", "es_AR")
    assert choose("zh-Hant-TW", available=available) == ("zh-Hant", "zh_Hant_TW")


def test_the_row_s_own_language_comes_before_the_number_s_country() -> None:
    assert choose("de", country="FR") == ("de", "de")


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("MX", ("es", "es_MX")),
        ("US", ("en", "en_US")),  # English is so de facto
        ("GB", ("en", "en_GB")),
        ("AT", ("de", "de_AT")),
        ("BE", ("fr", "fr_BE")),  # Dutch comes first there, and the template has none
        ("JP", ("en", "en")),
        (None, ("en", "en")),
    ],
)
def test_without_a_tag_the_country_decides(country: str | None, expected: tuple[str, str]) -> None:
    assert choose(country=country) == expected


@pytest.mark.parametrize("tag", ["", "klingon!", "e", "es-", "es MX", "es-MX-", "1234", "español"])
def test_a_malformed_tag_counts_as_none(tag: str) -> None:
    assert choose(tag, country="FR") == ("fr", "fr_FR")


def test_a_language_that_the_template_lacks_goes_to_the_default() -> None:
    assert choose("it", country="FR", default="de") == ("de", "de")


def test_a_region_that_babel_does_not_know_formats_as_the_language() -> None:
    assert choose("fr-US") == ("fr", "fr")


def test_no_choice_is_left_without_the_default() -> None:
    assert choose("it", default="pt") is None
    assert choose("it", default="english") is None
    assert choose(default="es-MX") == ("es", "es_MX")


@given(st.text(max_size=12) | st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z]{2})?", fullmatch=True))
def test_any_tag_ends_in_a_language_of_the_template_and_a_locale_of_babel(tag: str) -> None:
    choice = choose(tag, country="DE")
    assert choice is not None
    assert choice[0] in FOUR
    assert Locale.parse(choice[1]).language == choice[0]
    normal = normalise_tag(tag)
    assert normal is None or normalise_tag(normal) == normal
