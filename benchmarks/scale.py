"""How large a measurement is."""

from __future__ import annotations

from enum import StrEnum


class Scale(StrEnum):
    """Full for figures that are kept, quick for a first look, tiny for a test that it runs."""

    FULL = "full"
    QUICK = "quick"
    TINY = "tiny"
