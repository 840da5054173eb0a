"""Which language of a template a recipient reads, and the locale for dates and numbers in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages

TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?\Z")
"""Language, script, region: the part of BCP 47 that contact lists use."""


@dataclass(frozen=True, kw_only=True)
class LanguageChoice:
    """A language that the template has, and the Babel locale to format with, such as es_MX."""

    language: str
    locale: str


def normalise_tag(text: str) -> str | None:
    """Return a language tag in its usual spelling (es_mx -> es-MX), None when it is none."""
    found = TAG.match(text.strip().replace("_", "-"))
    if found is None:
        return None
    language, script, region = found.groups()
    parts = (language.lower(), (script or "").title(), (region or "").upper())
    return "-".join(part for part in parts if part)


def match_language(tag: str, available: frozenset[str]) -> str | None:
    """Return the nearest language that is available: the tag itself, else with less detail."""
    parts = tag.split("-")
    candidates = ("-".join(parts[:size]) for size in range(len(parts), 0, -1))
    return next((candidate for candidate in candidates if candidate in available), None)


@lru_cache(maxsize=4096)
def choose_language(
    *, tag: str, country: str | None, default: str, available: frozenset[str]
) -> LanguageChoice | None:
    """Return the language for a recipient, None when not even the default is available.

    The row's own tag comes first; without a well-formed one, the official languages of the
    number's country; then the campaign's default. A well-formed tag that the template lacks goes
    to the default: the country knows no better than the row.
    """
    wishes = _wishes(tag, country)
    for wish in (*wishes, normalise_tag(default) or default):
        language = match_language(wish, available)
        if language is not None:
            return LanguageChoice(language=language, locale=_locale(wish, language))
    return None


@lru_cache(maxsize=256)
def find_locale(identifier: str) -> Locale | None:
    """Return Babel's locale of a tag or identifier such as es-MX or es_MX, None where it has none.

    A template may be in a language that Babel does not know; only its dates and numbers suffer.
    """
    try:
        return Locale.parse(identifier.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None


def _wishes(tag: str, country: str | None) -> Iterator[str]:
    own = normalise_tag(tag)
    if own is not None:
        yield own
    elif country is not None:
        # De facto ones too: the United States have no official language by law of long standing.
        for language in get_official_languages(country, de_facto=True):
            yield f"{language}-{country}"


def _locale(tag: str, language: str) -> str:
    return str(find_locale(tag) or language.replace("-", "_"))
