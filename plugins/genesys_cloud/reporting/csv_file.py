"""The CSV form of a day: ISO dates, empty for null, and nothing that a spreadsheet executes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc

ROWS_AT_ONCE = 10_000

# The first characters that make a spreadsheet read a cell as a formula (OWASP, CSV injection),
# the full-width forms included.
_FORMULA = "^([=+\\-@\t\r\n＝＋－＠])"


# Python before 3.13 quotes a carriage return in a cell only where lines end in one.
_LINE_END = "\r\n"


class _LineFeeds:
    """Takes whole lines from a CSV writer and ends each in a line feed instead."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix(_LINE_END) + "\n")


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table with a header line; lines end in a line feed.

    A text cell that a spreadsheet would execute gets a leading apostrophe; numbers never do.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(_LineFeeds(file), lineterminator=_LINE_END)
        writer.writerow(table.column_names)
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            writer.writerows(_rows(batch))


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[object, ...]]:
    return zip(*(_cells(column) for column in batch.columns), strict=True)


def _cells(column: pa.Array) -> list[object]:
    """Return a column's cells as the CSV shows them; None becomes an empty cell."""
    if pa.types.is_timestamp(column.type):
        # Not strftime, which wants a time zone database even for UTC; slim images have none.
        text = column.cast(pa.timestamp("ms")).cast(pa.string())
        column = pc.binary_join_element_wise(pc.replace_substring(text, " ", "T"), "Z", "")
    elif pa.types.is_boolean(column.type):
        column = pc.if_else(column, "true", "false")
    elif pa.types.is_string(column.type):
        column = pc.replace_substring_regex(column, pattern=_FORMULA, replacement=r"'\1")
    cells: list[object] = column.to_pylist()
    return cells
