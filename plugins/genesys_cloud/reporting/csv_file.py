"""The CSV form of a day: ISO dates, empty for null, and nothing that a spreadsheet executes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

ROWS_AT_ONCE = 10_000

# The first characters that make a spreadsheet read a cell as a formula (OWASP, CSV injection),
# the full-width forms included.
_FORMULA = "^([=+\\-@\t\r\n＝＋－＠])"


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table with a header line; lines end in a line feed.

    A text cell that a spreadsheet would execute gets a leading apostrophe; numbers never do.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            writer.writerows(_rows(batch))


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[object, ...]]:
    return zip(*(_cells(column) for column in batch.columns), strict=True)


def _cells(column: pa.Array) -> list[object]:
    """Return a column's cells as the CSV shows them; None becomes an empty cell."""
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")  # %S has the milliseconds
    elif pa.types.is_boolean(column.type):
        column = pc.if_else(column, "true", "false")
    elif pa.types.is_string(column.type):
        column = pc.replace_substring_regex(column, pattern=_FORMULA, replacement=r"'\1")
    cells: list[object] = column.to_pylist()
    return cells
