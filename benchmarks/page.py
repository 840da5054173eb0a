"""Puts figures into docs/performance.md, between the markers of their names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.servers import ROOT
from benchmarks.table import Table

PAGE = ROOT / "docs" / "performance.md"


def place(name: str) -> re.Pattern[str]:
    """Return what finds a figure's markers, and all between them."""
    begin, end = _markers(name)
    return re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)


def refresh(path: Path, name: str, table: Table, *, machine: str, command: str) -> None:
    """Replace one figure in a page; raises ValueError where the page has no place for it."""
    text = path.read_text(encoding="utf-8")
    begin, end = _markers(name)
    today = datetime.now(UTC).date().isoformat()
    body = f"{table.as_markdown()}\n\nMeasured {today} with `{command}` on {machine}."
    renewed, count = place(name).subn(lambda _: f"{begin}\n{body}\n{end}", text)
    if count != 1:
        raise ValueError(f"{path} has {count} places for the figure {name!r}: {begin} … {end}")
    path.write_text(renewed, encoding="utf-8")


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- figure: {name} -->", f"<!-- end of figure: {name} -->"
