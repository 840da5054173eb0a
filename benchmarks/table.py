"""A figure as a table: on a terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Table:
    """A figure; the first column is words, the others are numbers. `notes` say what to know."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def as_text(self) -> str:
        """Return the table as it is printed on a terminal."""
        lines = (self.columns, *self.rows)
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        header, *rows = (_line(cells, widths) for cells in lines)
        body = (header, "-" * len(header), *rows)
        return "\n".join([self.title, "", *body, *(f"  {note}" for note in self.notes), ""])

    def as_markdown(self) -> str:
        """Return the table as a page shows it."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        rows = [f"| {' | '.join(cells)} |" for cells in (self.columns, rule, *self.rows)]
        notes = [f"- {note}" for note in self.notes]
        return "\n".join([f"**{self.title}**", "", *rows, "", *notes]).rstrip()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  ".join(padded).rstrip()
