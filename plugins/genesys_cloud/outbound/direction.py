"""Right-to-left text: which languages are written so, and values of the other direction in it."""

from __future__ import annotations

import unicodedata
from typing import Final

from genesys_cloud.outbound.languages import find_locale

FIRST_STRONG: Final = "\u2068"
POP: Final = "\u2069"
"""The isolate that takes its direction from its own first letter, and its end."""

_LEFT_TO_RIGHT: Final = frozenset({"L", "EN"})
"""Bidirectional classes of what is read from the left: letters and digits."""

_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
"""Those that turn a text around them that is read from the left."""


def is_right_to_left(locale: str) -> bool:
    """Say whether `locale`, a Babel identifier such as he_IL, is written from right to left."""
    found = find_locale(locale)
    return found is not None and found.text_direction == "rtl"


def runs_against(value: str, locale: str) -> bool:
    """Say whether a value has letters or digits that are read the other way than `locale`."""
    if value.isascii() and not is_right_to_left(locale):
        return False
    against = _LEFT_TO_RIGHT if is_right_to_left(locale) else _RIGHT_TO_LEFT
    return any(unicodedata.bidirectional(character) in against for character in value)


def isolate(value: str, locale: str) -> str:
    """Return `value` kept apart from the text around it, where it runs against that.

    Elsewhere it stays as it is: the marks are not in GSM-7.
    """
    return f"{FIRST_STRONG}{value}{POP}" if runs_against(value, locale) else value
