"""The JSON lines of a day: one object a row, with the columns' names and null for null."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from genesys_cloud.reporting.text_lines import as_bytes, joined, whole_texts

_WANTS_ESCAPES = r'["\\\x00-\x1f]'
"""RFC 8259: what a JSON string can't hold as it is."""


def lines(batch: pa.RecordBatch) -> memoryview:
    """Return the lines of a batch, each ended by a line feed."""
    parts: list[pa.Array | str] = []
    for place, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        parts += [f'{"," if place else "{"}"{name}":', pc.fill_null(_values(column), "null")]
    return as_bytes(joined([*parts, "}\n"]))


def _values(column: pa.Array) -> pa.Array:
    """Return a column's values as JSON; null stays null."""
    texts = whole_texts(column)
    if pa.types.is_string(column.type):
        return _strings(texts)
    # joined() would make a text of null.
    quoted = pc.binary_join_element_wise('"', texts, '"', "")
    return quoted if pa.types.is_timestamp(column.type) else texts


def _strings(texts: pa.Array) -> pa.Array:
    escaped = pc.match_substring_regex(texts, pattern=_WANTS_ESCAPES)
    if not pc.any(escaped).as_py():
        return pc.binary_join_element_wise('"', texts, '"', "")
    values = [
        None if text is None else json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()
    ]
    return pa.array(values, pa.string())
