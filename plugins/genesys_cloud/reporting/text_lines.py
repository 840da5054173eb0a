"""Lines of text made of columns, a batch at once: row by row it would take most of an export."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc


def whole_texts(column: pa.Array) -> pa.Array:
    """Return a column as text, times as ISO 8601 in UTC; null stays null."""
    if pa.types.is_timestamp(column.type):
        # Not strftime, which wants a time zone database even for UTC; slim images have none.
        text = column.cast(pa.timestamp("ms")).cast(pa.string())
        return pc.binary_join_element_wise(pc.replace_substring(text, " ", "T"), "Z", "")
    return column.cast(pa.string())


def joined(parts: Sequence[pa.Array | str], separator: str = "") -> pa.Array:
    """Join columns and constants row by row; null is joined as nothing."""
    return pc.binary_join_element_wise(
        *parts, separator, null_handling="replace", null_replacement=""
    )


def as_bytes(lines: pa.Array) -> memoryview:
    """Return the lines one after the other: Arrow keeps the texts of a column so already."""
    offsets, text = lines.buffers()[1:]
    if not len(lines) or text is None:
        return memoryview(b"")
    bounds = memoryview(offsets).cast("i")
    return memoryview(text)[bounds[lines.offset] : bounds[lines.offset + len(lines)]]
