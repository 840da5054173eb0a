"""CSV records from a stream of bytes: one at a time, lenient in encoding, strict in structure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

from genesys_cloud.errors import AudienceError
from genesys_cloud.outbound.violations import Violation

RECORD_LIMIT: Final = 4_000_000
"""Bytes of one record, which is a megabyte of the widest characters; so much is held in memory."""

DELIMITERS: Final = ",;\t"

SIGNATURES: Final = {
    b"PK\x03\x04": "an Excel workbook or another zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file under another name",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7z file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a SQLite database",
}
"""How files begin that people take for CSV."""

MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|\?xml|!--)", re.IGNORECASE)
"""How a web page begins, such as the login page that a download link led to."""

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 16

Record = list[str] | Violation


def read_records(stream: BinaryIO) -> Iterator[Record]:
    """Return the records, header first, without blank ones; bad bytes become lone surrogates.

    Lines end with LF, CR LF, or CR where the header's does; the delimiter is the one that the first
    line has most. A record with a stray CR is a Violation. Raises AudienceError for what is no CSV
    at once, and while records are read where the CSV breaks off or breaks down.
    """
    csv.field_size_limit(max(csv.field_size_limit(), RECORD_LIMIT))
    lines = _lines(stream)
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise AudienceError("The contact list is empty; it needs a header and an address column.")
    records = _Records(first, lines)
    return (one for one in records if isinstance(one, Violation) or any(map(str.strip, one)))


class _Records:
    """csv.reader that knows where it is when something breaks."""

    def __init__(self, first: str, lines: Iterator[str]) -> None:
        self._ended = False
        self._began = 0
        self._size = 0
        self._reader = csv.reader(
            self._feed(first, lines), delimiter=_delimiter(first), skipinitialspace=True
        )

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        self._began, self._size = self._reader.line_num + 1, 0
        try:
            cells = next(self._reader)
        except csv.Error as error:
            # The only one there is, for no cell is larger than its record; the next line is whole.
            return Violation(
                code="row_malformed",
                message=f"The row is broken at line {self._reader.line_num}: {error}.",
            )
        if self._ended:
            # The reader ran out of lines inside a cell: all rows since its quote are one cell.
            raise AudienceError(
                f"The contact list ends at line {self._reader.line_num} inside a quoted cell of "
                f"the row that begins at line {self._began}; a closing quote is missing."
            )
        return cells

    def _feed(self, first: str, lines: Iterator[str]) -> Iterator[str]:
        yield first
        for line in lines:
            # A quote that nobody closes makes one record of all that follows.
            self._size += len(line)
            if self._size > RECORD_LIMIT:
                raise AudienceError(
                    f"The row that begins at line {self._began} of the contact list is over "
                    f"{RECORD_LIMIT} characters; a closing quote may be missing."
                )
            yield line
        self._ended = True


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Yield the lines as text, each with its end."""
    raw_lines: Iterator[bytes] = iter(partial(stream.readline, RECORD_LIMIT), b"")
    for number, raw in enumerate(raw_lines, start=1):
        if number == 1:
            _check_signature(raw)
            raw = raw.removeprefix(_BOM)  # noqa: PLW2901 - the same line without its mark
            if _ends_with_cr(raw):
                yield from _cr_lines(raw, stream)
                return
        if len(raw) >= RECORD_LIMIT:
            raise AudienceError(f"Line {number} of the contact list is over {RECORD_LIMIT} bytes.")
        yield raw.decode("utf-8", "surrogateescape")


def _ends_with_cr(raw: bytes) -> bool:
    """Say whether the first line ends with a CR alone, as old Macintosh programs write it."""
    inside = b"\r" in re.sub(rb'"[^"]*"', b"", raw).rstrip(b"\r\n")
    # Up to an LF outside quotes it is one line, and the CR in it a mistake.
    return inside and not (raw.endswith(b"\n") and raw.count(b'"') % 2 == 0)


def _cr_lines(begun: bytes, stream: BinaryIO) -> Iterator[str]:
    """Yield lines that end with a CR, which the stream does not know as an end."""
    rest = begun
    while True:
        *whole, rest = re.split(rb"(?<=\r)(?!\n)", rest)
        for raw in whole:
            yield raw.decode("utf-8", "surrogateescape")
        if len(rest) > RECORD_LIMIT:
            raise AudienceError(f"A line of the contact list is over {RECORD_LIMIT} bytes.")
        block = stream.read(_BLOCK)
        if not block:
            break
        rest += block
    if rest:
        yield rest.decode("utf-8", "surrogateescape")


def _check_signature(raw: bytes) -> None:
    kind = next((kind for start, kind in SIGNATURES.items() if raw.startswith(start)), None)
    if kind is None and MARKUP.match(raw.removeprefix(_BOM)):
        kind = "a web page, such as the login page that a download link led to"
    if kind is not None:
        raise AudienceError(f"The contact list is {kind}, not text; save it as UTF-8 CSV.")


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)
