"""Contact lists: a stream of bytes, or of records, becomes rows, each with what is wrong with it.

A row that can't be read is a row with a problem, never an error and never left out; a list that
can't be read at all is an AudienceError. Memory stays flat: one row at a time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from numbers import Integral
from typing import BinaryIO, Final

from genesys_cloud.errors import AudienceError
from genesys_cloud.outbound.csv_records import read_records
from genesys_cloud.outbound.violations import Refused, Violation

KNOWN_COLUMNS: Final = (
    "address",
    "consent",
    "recipient_id",
    "language",
    "timezone",
    "consent_at",
    "consent_source",
    "consent_purpose",
    "consent_wording",
    "consent_expires_at",
)
"""Columns with a meaning of their own, in any spelling; every other one is a template variable."""

CELL_LIMIT: Final = 10_000
"""Characters that a cell may have."""

SHORT: Final = 200
"""Characters that a cell may have which the ledger keeps: a source, a wording, a reason."""

_UNREADABLE: Final = re.compile("[\0\ud800-\udfff]")
"""What no database takes as text; lone surrogates stand for bytes that are not UTF-8."""

_NAME: Final = re.compile(r"[^\W\d][\w .-]{0,63}\Z")
"""What a column's name looks like; a list without a header begins with somebody's address."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One data row, counted from 1 without blank lines; `problem` says why it can't be used."""

    number: int
    values: Mapping[str, str] = field(repr=False)
    problem: Violation | None = None


def read_csv(stream: BinaryIO) -> Iterator[Row]:
    """Read the header at once and return the rows, read as they are asked for.

    UTF-8 with or without BOM; delimiter comma, semicolon or tab. Raises AudienceError when the
    header is unusable, and while rows are read when the CSV breaks off or breaks down.
    """
    records = read_records(stream)
    header = next(records, [])
    if isinstance(header, Violation):
        raise AudienceError(f"The contact list has no usable header. {header.message}")
    columns = check_columns(header)
    return (_row(number, columns, cells) for number, cells in enumerate(records, start=1))


def rows_from_records(records: Iterable[Mapping[str, object]]) -> Iterator[Row]:
    """Return rows from records such as those of a Parquet file; all have the first one's keys.

    Raises AudienceError when the columns are unusable.
    """
    columns: dict[str, str] | None = None
    for number, record in enumerate(records, start=1):
        if columns is None:
            columns = dict(zip(record, check_columns(list(record)), strict=True))
        cells = [_text(record.get(name)) for name in columns]
        yield _row(number, list(columns.values()), cells)


def check_columns(names: Sequence[str]) -> list[str]:
    """Return the columns' names trimmed, known ones in lower case.

    Raises AudienceError when one is blank, repeated or not text, or when none is `address`.
    """
    if text_problem(names) is not None:
        raise AudienceError("The contact list's header is not text; save the list as UTF-8 CSV.")
    columns = [_column(name) for name in names]
    if not columns:
        raise AudienceError("The contact list is empty; it needs a header and an address column.")
    if not all(columns):
        raise AudienceError("The contact list's header has a column without a name.")
    counted = Counter(column.lower() for column in columns)
    repeated = sorted(name for name, times in counted.items() if times > 1)
    if repeated:
        raise AudienceError(f"The contact list's header repeats {_named(repeated)}.")
    if "address" not in columns:
        raise AudienceError(
            f"The contact list has no address column. Its columns are {_named(columns)}."
        )
    return columns


def text_problem(values: Iterable[str]) -> Violation | None:
    """Return `row_not_text` when a value can't be stored or sent as text, else None."""
    if not _UNREADABLE.search("\n".join(values)):
        return None
    return Violation(
        code="row_not_text",
        message="The row has bytes that are not UTF-8, or a NUL. Save the list as UTF-8.",
    )


def short_cell(cells: Mapping[str, str], name: str, most: int = SHORT) -> str:
    """Return a cell, '' where there is none; raises Refused for one over `most` characters."""
    text = cells.get(name, "")
    if len(text) > most:
        raise Refused.because("cell_too_long", f"{name} is over {most} characters.")
    return text


def readable(value: str) -> str:
    """Return `value` with replacement characters for what can't be stored as text."""
    return _UNREADABLE.sub("\ufffd", value)


def _named(columns: Sequence[str]) -> str:
    """Return columns as an error names them; where one may be somebody's data, all may be."""
    if all(map(_NAME.match, columns)):
        return ", ".join(columns)[:500]
    return f"{len(columns)} not shown here, which may be data"


def _column(name: str) -> str:
    trimmed = name.replace("\ufeff", "").strip()  # a second BOM, which nobody would see
    return trimmed.lower() if trimmed.lower() in KNOWN_COLUMNS else trimmed


def _row(number: int, columns: Sequence[str], cells: Violation | Sequence[str | None]) -> Row:
    if isinstance(cells, Violation):
        return Row(number=number, values={}, problem=cells)
    texts = ["" if cell is None else cell for cell in cells[: len(columns)]]
    texts += [""] * (len(columns) - len(texts))  # a short row has every column too: the lint asks
    values = dict(zip(columns, texts, strict=False))
    problem = text_problem(texts)
    if problem is not None:
        values = {name: readable(value) for name, value in values.items()}
    elif len(cells) > len(columns):
        problem = Violation(
            code="row_malformed",
            message=f"The row has {len(cells)} cells and the header {len(columns)}; a cell with a "
            "delimiter in it needs quotes.",
        )
    elif None in cells:
        name = columns[list(cells).index(None)]
        problem = Violation(
            code="row_malformed", message=f"Column {name!r} holds a value that is not plain."
        )
    elif max(map(len, texts)) > CELL_LIMIT:
        problem = Violation(
            code="cell_too_long", message=f"A cell of the row is over {CELL_LIMIT} characters."
        )
    return Row(number=number, values=values, problem=problem)


def _text(value: object) -> str | None:
    """Return a record's value as text, None for what has no plain text, such as a list."""
    text: str | None = None
    match value:
        case None:
            text = ""
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case bytes():
            text = value.decode("utf-8", "surrogateescape")
        case date() | time():
            text = value.isoformat()
        case Integral():
            text = str(int(value))
        case float() | Decimal():
            text = _number(value)
    return text


def _number(value: float | Decimal) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    # A column of whole numbers with gaps is one of floats: 1234.0 is order 1234, NaN is a gap.
    exact = Decimal(repr(float(value)))
    return "" if exact.is_nan() else format(exact, "f").removesuffix(".0")
