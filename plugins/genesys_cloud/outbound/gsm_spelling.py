"""The same text in GSM-7, and what it saves: one curly quote turns a whole SMS into UCS-2."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from genesys_cloud.outbound.segments import GSM_7, GSM_BASIC, GSM_EXTENDED, Segments, count

PLAIN: Final = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "'", "´": "'", "′": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "•": "-",
        "…": "...", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2003": " ", "\t": " ",
        "\u200b": "", "\u200d": "", "\ufeff": "", "\u200e": "", "\u200f": "", "\u2068": "",
        "\u2069": "", "ç": "c", "œ": "oe", "Œ": "OE", "ẞ": "SS",
    }
)  # fmt: skip
"""Characters that word processors put in, and what a plain keyboard gives."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What replacing characters would save: `replaced` says which by what, in their order.

    `segments` is how many fewer there would be; `left` are characters that have no plain spelling.
    """

    segments: int
    replaced: tuple[tuple[str, str], ...]
    left: tuple[str, ...]


def saving(text: str, counted: Segments | None = None) -> Saving | None:
    """Return what the text's GSM-7 spelling saves, None where the text is in GSM-7 already.

    Where a character has no plain spelling nothing is saved, for one alone keeps the text in UCS-2.
    """
    before = counted or count(text)
    if before.encoding == GSM_7.name or not before.forcing:
        return None
    spelled = {character: plain(character) for character in before.forcing}
    respelled = count("".join(spelled.get(c) or c for c in text if spelled.get(c) != ""))
    return Saving(
        segments=max(0, before.segments - respelled.segments),
        replaced=tuple((c, spelling) for c, spelling in spelled.items() if spelling is not None),
        left=tuple(c for c, spelling in spelled.items() if spelling is None),
    )


def plain(character: str) -> str | None:
    """Return a character's spelling in GSM-7, None where it has none; accents are dropped."""
    table = character.translate(PLAIN)
    base = table if table != character else _base(character)
    return base if all(c in GSM_BASIC or c in GSM_EXTENDED for c in base) else None


def _base(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    return "".join(part for part in parts if not unicodedata.combining(part)) or character
