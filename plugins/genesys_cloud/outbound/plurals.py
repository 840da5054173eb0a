"""Plural forms: which one a language takes for a number, by the rules of CLDR."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.plural import PluralRule

from genesys_cloud.outbound.languages import find_locale

OTHER: Final = "other"

CATEGORIES: Final = ("zero", "one", "two", "few", "many", OTHER)
"""The categories of CLDR; a language has some of them, and always `other`."""

COUNTED: Final = range(1_001)
"""Whole numbers as messages have them; French `many` begins at a million, and nobody misses it."""


def plural_category(number: Decimal, locale: str) -> str:
    """Return the category that `number` takes in `locale`, a Babel identifier such as ru_UA.

    Written decimals count: in English 1 is `one` and 1.0 is `other`. In a language that CLDR does
    not know, all is `other`.
    """
    return str(_rule(locale)(number))


@lru_cache(maxsize=256)
def usual_categories(locale: str) -> frozenset[str]:
    """Return the categories that the whole numbers up to a thousand take in `locale`."""
    rule = _rule(locale)
    return frozenset(str(rule(number)) for number in COUNTED)


def _rule(locale: str) -> PluralRule:
    found = find_locale(locale)
    return found.plural_form if found else PluralRule({})
