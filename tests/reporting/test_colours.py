"""Colours of the reports: legible for everybody, in the light and in the dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genesys_cloud import reporting

CSS = (Path(reporting.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"(--\w+):(#\w+)", block)) for block in re.findall(r":root\{([^}]*)\}", CSS)
)
SCHEMES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return how many times brighter the brighter of two colours is."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@SCHEMES
@pytest.mark.parametrize("letters", ["--ink", "--muted", "--good", "--bad"])
@pytest.mark.parametrize("ground", ["--page", "--card"])
def test_letters_have_the_contrast_of_level_aa(
    colours: dict[str, str], letters: str, ground: str
) -> None:
    assert contrast(colours[letters], colours[ground]) >= 4.5


@SCHEMES
@pytest.mark.parametrize("drawn", ["--accent", "--good", "--bad", "--wait", "--mark"])
def test_what_is_drawn_stands_out_from_its_card(colours: dict[str, str], drawn: str) -> None:
    assert contrast(colours[drawn], colours["--card"]) >= 3
