"""How many SMS segments a text takes, which is what carriers count, pace and charge.

3GPP TS 23.038 and 23.040: a segment has 140 octets; 160 GSM-7 septets or 70 UTF-16 units alone,
153 or 67 where a 6-octet header joins several. One character outside GSM-7 turns the whole text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each; Ç is here and ç is not."""

GSM_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""An escape and a septet, which stay in one segment."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """A way to write an SMS; sizes are septets for GSM-7 and UTF-16 units for UCS-2."""

    name: str
    alone: int
    joined: int


GSM_7: Final = Encoding(name="GSM-7", alone=160, joined=153)
UCS_2: Final = Encoding(name="UCS-2", alone=70, joined=67)


@dataclass(frozen=True, kw_only=True)
class Segments:
    """What a text takes; `characters_left` is septets or UTF-16 units free in the last segment.

    `forcing` are the characters outside GSM-7, each once, in their order in the text.
    """

    encoding: str
    segments: int
    characters_left: int
    forcing: tuple[str, ...]


def count(text: str) -> Segments:
    """Return the segments that `text` takes; a blank text takes none."""
    # Most texts are just counted: all of their characters have one width.
    if GSM_BASIC.issuperset(text):
        segments, left = _divide(len(text), GSM_7)
        return Segments(encoding=GSM_7.name, segments=segments, characters_left=left, forcing=())
    extended = GSM_EXTENDED.intersection(text)
    outside = set(text) - GSM_BASIC - extended
    forcing = tuple(c for c in dict.fromkeys(text) if c in outside) if outside else ()
    encoding = UCS_2 if outside else GSM_7
    wide = max(text, default="") > "\uffff" if outside else bool(extended)
    segments, left = _pack(text, encoding) if wide else _divide(len(text), encoding)
    return Segments(
        encoding=encoding.name, segments=segments, characters_left=left, forcing=forcing
    )


def _width(character: str, encoding: Encoding) -> int:
    if encoding is GSM_7:
        return 2 if character in GSM_EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _divide(length: int, encoding: Encoding) -> tuple[int, int]:
    if length <= encoding.alone:
        return min(length, 1), encoding.alone - length
    segments = -(-length // encoding.joined)
    return segments, segments * encoding.joined - length


def _pack(text: str, encoding: Encoding) -> tuple[int, int]:
    sizes = [_width(character, encoding) for character in text]
    if sum(sizes) <= encoding.alone:
        return _divide(sum(sizes), encoding)
    segments, used = 1, 0
    for size in sizes:
        if used + size > encoding.joined:
            segments, used = segments + 1, 0
        used += size
    return segments, encoding.joined - used
