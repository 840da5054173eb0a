"""Cells of CSV files that people open in spreadsheets."""

from __future__ import annotations

import re

FORMULA_START = "^([=+\\-@\t\r\n＝＋－＠])"
"""The first characters that make a spreadsheet read a cell as a formula (OWASP, CSV injection), the
full-width forms included."""

_FORMULA = re.compile(FORMULA_START)


def inert(text: str) -> str:
    """Return a cell that no spreadsheet executes: such a one gets a leading apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text
