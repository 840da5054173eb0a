"""CSV records from a stream of bytes: one at a time, lenient in encoding, strict in structure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

from genesys_cloud.errors import AudienceError

FIELD_LIMIT: Final = 10_000_000
"""Characters that the CSV reader takes for one cell before it gives the list up."""

LINE_LIMIT: Final = 16_000_000
"""Bytes of one line; a file without line ends is no contact list."""

DELIMITERS: Final = ",;\t"

SIGNATURES: Final = {
    b"PK\x03\x04": "an Excel workbook or another zip file",
    b"PAR1": "a Parquet file under another name",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "a gzip file",
}
"""How files begin that people take for CSV."""


def read_records(stream: BinaryIO) -> Iterator[list[str]]:
    """Return the records, header first, without blank ones; bad bytes become lone surrogates.

    The delimiter is the one that the first line has most. Raises AudienceError for what is no CSV
    at once, and while records are read where the CSV breaks off or breaks down.
    """
    csv.field_size_limit(max(csv.field_size_limit(), FIELD_LIMIT))
    lines = _lines(stream)
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise AudienceError("The contact list is empty; it needs a header and an address column.")
    return (cells for cells in _Records(first, lines) if any(map(str.strip, cells)))


class _Records:
    """csv.reader that knows where it is when something breaks."""

    def __init__(self, first: str, lines: Iterator[str]) -> None:
        self._ended = False
        self._reader = csv.reader(
            self._feed(first, lines), delimiter=_delimiter(first), skipinitialspace=True
        )

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        try:
            cells = next(self._reader)
        except csv.Error as error:
            raise AudienceError(
                f"The contact list breaks down at line {self._reader.line_num}: {error}."
            ) from error
        if self._ended:
            # The reader ran out of lines inside a cell: all rows since its quote are one cell.
            raise AudienceError(
                f"The contact list ends at line {self._reader.line_num} inside a quoted cell; a "
                "closing quote is missing."
            )
        return cells

    def _feed(self, first: str, lines: Iterator[str]) -> Iterator[str]:
        yield first
        yield from lines
        self._ended = True


def _lines(stream: BinaryIO) -> Iterator[str]:
    for number, raw in enumerate(iter(partial(stream.readline, LINE_LIMIT), b""), start=1):
        if number == 1:
            _check_signature(raw)
        if len(raw) >= LINE_LIMIT:
            raise AudienceError(f"Line {number} of the contact list is over {LINE_LIMIT} bytes.")
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        yield line.decode("utf-8", "surrogateescape")


def _check_signature(raw: bytes) -> None:
    for signature, kind in SIGNATURES.items():
        if raw.startswith(signature):
            raise AudienceError(f"The contact list is {kind}, not text; save it as UTF-8 CSV.")


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)
