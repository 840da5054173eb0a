"""The CSV form of a day: ISO dates, empty for null, and nothing that a spreadsheet executes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from genesys_cloud.outbound.csv_cells import FORMULA_START
from genesys_cloud.reporting.text_lines import as_bytes, joined, whole_texts

_WANTS_QUOTES = '[",\r\n]'
"""RFC 4180: what would end a cell, or begin another line."""


def header(schema: pa.Schema) -> bytes:
    """Return the line that names the columns."""
    return (",".join(schema.names) + "\n").encode()


def lines(batch: pa.RecordBatch) -> memoryview:
    """Return the lines of a batch.

    A text cell that a spreadsheet would execute gets a leading apostrophe; numbers never do.
    """
    cells = [_cells(column) for column in batch.columns]
    return as_bytes(joined([*cells[:-1], joined([cells[-1], "\n"])], ","))


def _cells(column: pa.Array) -> pa.Array:
    """Return a column as the CSV shows it; null becomes an empty cell."""
    texts = whole_texts(column)
    if not pa.types.is_string(column.type):
        return texts
    texts = pc.replace_substring_regex(texts, pattern=FORMULA_START, replacement=r"'\1")
    quoted = pc.match_substring_regex(texts, pattern=_WANTS_QUOTES)
    if not pc.any(quoted).as_py():
        return texts
    escaped = joined(['"', pc.replace_substring(texts, '"', '""'), '"'])
    return pc.if_else(quoted, escaped, texts)
