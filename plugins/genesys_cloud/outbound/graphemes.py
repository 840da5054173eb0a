"""The first letter of a name, with all that belongs to it."""

from __future__ import annotations

import unicodedata
from typing import Final

JOINERS: Final = "\u200c\u200d"
"""The zero width non-joiner and joiner."""

_VIRAMA: Final = 9
"""The combining class of signs that bind the letter after them to the one before, as in क्ष."""


def initial(name: str) -> str:
    """Return the first letter of `name` as people see it, '' where it has none.

    It is a whole one: with its marks, and in Indian scripts with the letters that it is bound to.
    What precedes it, such as digits and emoji, is passed over.
    """
    text = unicodedata.normalize("NFC", name)
    start = next((at for at, one in enumerate(text) if _is_letter(one)), None)
    if start is None:
        return ""
    end = start + 1
    while end < len(text) and _belongs(text[start:end], text[end]):
        end += 1
    return text[start:end]


def _belongs(before: str, character: str) -> bool:
    if unicodedata.category(character).startswith("M") or character in JOINERS:
        return True
    bound = before.rstrip(JOINERS)
    return _is_letter(character) and unicodedata.combining(bound[-1]) == _VIRAMA


def _is_letter(character: str) -> bool:
    return unicodedata.category(character).startswith("L")
