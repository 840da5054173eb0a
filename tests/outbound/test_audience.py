from __future__ import annotations

import csv
import io
import itertools
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.errors import AudienceError
from genesys_cloud.outbound.audience import Row, check_columns, read_csv, rows_from_records
from genesys_cloud.outbound.violations import PROBLEMS


def rows(data: bytes | str) -> list[Row]:
    raw = data.encode() if isinstance(data, str) else data
    return list(read_csv(io.BytesIO(raw)))


def codes(data: bytes | str) -> list[str | None]:
    return [row.problem and row.problem.code for row in rows(data)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_common_spellings_of_csv_read_the_same(delimiter: str, end: str, bom: bytes) -> None:
    lines = ["address,consent,name", "+12025550123,true,Zoë", "+12025550124,,"]
    data = bom + end.join(line.replace(",", delimiter) for line in lines).encode()
    first, second = rows(data)
    assert first.values == {"address": "+12025550123", "consent": "true", "name": "Zoë"}
    assert (first.number, second.number) == (1, 2)
    assert first.problem is second.problem is None


def test_the_delimiter_is_that_of_the_header_whatever_the_rows_hold() -> None:
    (row,) = rows('address;"a,b,c,d";name\n+1;x,y;"Smith; John"\n')
    assert row.values == {"address": "+1", "a,b,c,d": "x,y", "name": "Smith; John"}


def test_a_quoted_cell_may_have_lines_quotes_and_delimiters() -> None:
    (row,) = rows('address,note\n+1,"one\r\ntwo, ""three"""\n')
    assert row.values["note"] == 'one\r\ntwo, "three"'


def test_known_columns_are_known_in_any_spelling_and_variables_keep_theirs() -> None:
    (row,) = rows(" Address ,CONSENT,Recipient_ID,orderId,Name\n+1,true,7,A,B\n")
    assert list(row.values) == ["address", "consent", "recipient_id", "orderId", "Name"]


def test_blank_lines_are_no_rows() -> None:
    found = rows("\n \naddress,name\n\n+1,a\n,,\n  ,  \n\r\n+2,b\n\n")
    assert [(row.number, row.values["address"]) for row in found] == [(1, "+1"), (2, "+2")]


def test_missing_cells_are_blank_and_surplus_ones_are_a_problem() -> None:
    found = rows("address,consent,name\n+1\n+2,true,Smith, John\n+3,true,a,\n+4,true,b\n")
    assert [row.problem and row.problem.code for row in found] == [
        None,
        "row_malformed",
        "row_malformed",  # a surplus cell may have moved the others, even a blank one
        None,
    ]
    assert found[1].problem is not None
    assert "4 cells and the header 3" in found[1].problem.message


def test_bytes_that_are_no_text_spoil_their_row_alone() -> None:
    data = b"address,name\n+1,caf\xe9\n+2,ok\n+3,a\0b\n+4,\xed\xa0\x80\n"
    assert codes(data) == ["row_not_text", None, "row_not_text", "row_not_text"]
    for row in rows(data):
        "".join(row.values.values()).encode()  # what is left can be stored
        assert "\0" not in row.values["name"]
    assert rows(data)[0].values == {"address": "+1", "name": "caf\ufffd"}


def test_a_huge_cell_spoils_its_row_alone() -> None:
    data = f"address,name\n+1,{'x' * 10_000}\n+2,{'x' * 10_001}\n+3,{'x' * 1_000_000}\n+4,ok\n"
    assert codes(data) == [None, "cell_too_long", "cell_too_long", None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b",,\n", "is empty"),
        (b"name,consent\n+1,true\n", "no address column. Its columns are name, consent"),
        (b"+12025550123,true\n", "Its columns are 2 not shown here, which may be data"),
        (b"Anna Smith,+12025550123\n", "Its columns are 2 not shown here, which may be data"),
        (b"+12025550123,+12025550123\n", "header repeats 1 not shown here, which may be data"),
        (b"root:x:0:0:root:/root:/bin/sh\n", "Its columns are 1 not shown here, which may be data"),
        (b"address,,name\n", "without a name"),
        (b"address,name,\n", "without a name"),
        (b"address,Name, name\n", "repeats name"),
        (b"address,Address\n", "repeats address"),
        (b"address,na\0me\n", "header is not text"),
        (b"address,pr\xe9nom\n", "header is not text"),
        ("address\n+1\n".encode("utf-16"), "UTF-16"),
        ("address\n+1\n".encode("utf-16-le"), "header is not text"),
        (b"address,na\rme\n+1,a\n", "no usable header. The row is broken at line 1"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "no address column"),
        (b"<!DOCTYPE html><html><body>Sign in, please</body></html>", "a web page"),
        (b"\xef\xbb\xbf <html lang='en'>", "a web page"),
        (b"PK\x03\x04whatever", "Excel workbook"),
        (b"PAR1whatever", "Parquet"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_a_list_that_can_t_be_read_says_why_at_once(data: bytes, reason: str) -> None:
    with pytest.raises(AudienceError, match=reason):
        read_csv(io.BytesIO(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            'address,name\n+1,a\n+2,"open\n+3,b\n',
            "ends at line 4 inside a quoted cell of the row that begins at line 3",
        ),
        ("address\n" + "x" * 4_000_001, "Line 2 .* is over 4000000 bytes"),
        ("address\r+1\r" + "x" * 4_100_000, "A line .* is over 4000000 bytes"),
        ("address\n+1\n" + '",\n"' * 1_000_001, "row that begins at line 3 .* over 4000000"),
    ],
)
def test_a_list_that_breaks_names_the_line(data: str, reason: str) -> None:
    with pytest.raises(AudienceError, match=reason):
        rows(data)


def test_a_stray_carriage_return_spoils_its_row_alone() -> None:
    data = 'address,name\n+1,ok\n+2,a\rb\n+3,"a\rb"\n+4,"a"\rb\n"+5\n6",a\rb\n+7,ok\n'
    found = rows(data)
    assert [row.problem and row.problem.code for row in found] == [
        None, "row_malformed", None, "row_malformed", "row_malformed", None,
    ]  # fmt: skip
    assert [row.number for row in found] == [1, 2, 3, 4, 5, 6]
    assert found[1].problem is not None
    assert "broken at line 3" in found[1].problem.message
    assert found[2].values["name"] == "a\rb"


@pytest.mark.parametrize("end", ["\r", ""])
def test_the_line_ends_of_old_macintosh_programs(end: str) -> None:
    data = f'address,name\r+1,"two\nlines"\r\r+2,"a\rb"\r+3,c{end}'
    assert [list(row.values.values()) for row in rows(data)] == [
        ["+1", "two\nlines"], ["+2", "a\rb"], ["+3", "c"],
    ]  # fmt: skip


def test_a_long_list_of_old_macintosh_programs() -> None:
    lines = [f"+{number},{'x' * 100}" for number in range(50_000)]  # 5 MB, longer than any line
    found = rows("\r".join(["address,name", *lines]))
    assert [row.values["address"] for row in found] == [f"+{n}" for n in range(50_000)]


def test_names_of_every_script_stay_as_they_are() -> None:
    names = [
        "עדי כהן",
        "نور",
        "é",
        "e\u0301",
        "👨\u200d👩\u200d👧",
        "\u202eabc",
        "=cmd()",
        "@x",
        "-1",
        "+1",
    ]
    data = "\n".join(["address,name", *(f"+{n},{name}" for n, name in enumerate(names))])
    assert [row.values["name"] for row in rows(data)] == names
    assert codes(data) == [None] * len(names)


def test_ten_thousand_columns_and_a_header_of_a_megabyte() -> None:
    columns = ["address", *(f"column{number:05}{'x' * 90}" for number in range(10_000))]
    (row,) = rows(",".join(columns) + "\n" + ",".join(["+1"] * 10_001))
    assert len(row.values) == 10_001
    assert row.problem is None


def test_a_second_byte_order_mark_is_no_part_of_a_name() -> None:
    (row,) = rows(b"\xef\xbb\xbf\xef\xbb\xbfaddress,name\n+1,a\n")
    assert row.values == {"address": "+1", "name": "a"}


class Endless(io.RawIOBase):
    """A list that is made while it is read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def readline(self, size: int | None = -1, /) -> bytes:
        return next(self._lines, b"")


def test_memory_stays_flat() -> None:
    def lines() -> Iterator[bytes]:
        yield b"address,name\n"
        for _ in range(20_000):
            yield b"+12025550123," + b"x" * 500 + b"\n"

    tracemalloc.start()
    try:
        assert sum(1 for _ in read_csv(Endless(lines()))) == 20_000  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # the list itself is 10 MB
    finally:
        tracemalloc.stop()


def peak_of(lines: Iterator[bytes]) -> int:
    """The most bytes that reading takes, up to the end or the error."""
    tracemalloc.start()
    try:
        with suppress(AudienceError):
            for _ in read_csv(Endless(lines)):  # type: ignore[arg-type]
                pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "line",
    [
        b"of a cell that nobody closes\n",
        b'","\n',  # each line closes a cell and opens the next one of the same record
        b"x" * 4_000_000,
        b"+1," + b"x" * 1_000_000 + b"\n",
        b"," * 2_000_000 + b"x\n",
    ],
)
def test_memory_is_bounded_whatever_the_list_is(line: bytes) -> None:
    def endless() -> Iterator[bytes]:
        yield b'address,name\n+1,"a\n' if len(line) < 100 else b"address,name\n"
        yield from itertools.repeat(line, 200_000_000 // len(line) if len(line) < 100 else 3)

    assert peak_of(endless()) < 100_000_000


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(st.tuples(texts, texts), max_size=10), st.sampled_from(",;\t"))
def test_whatever_is_written_as_csv_is_read_again(
    cells: list[tuple[str, str]], delimiter: str
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("address", "name"), *cells])
    kept = [pair for pair in cells if any(cell.strip() for cell in pair)]
    assert [(row.values["address"], row.values["name"]) for row in rows(buffer.getvalue())] == kept


crumbs = st.lists(
    st.sampled_from(
        [b",", b'"', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"+1", b";"]
    )
    | st.binary(max_size=8),
    max_size=60,
).map(b"".join)


@settings(max_examples=500)
@given(st.binary(max_size=300) | crumbs, st.sampled_from([b"", b"address,name\n", b"address\r"]))
def test_any_bytes_are_rows_or_an_audience_error(data: bytes, header: bytes) -> None:
    try:
        found = rows(header + data)
    except AudienceError:
        return
    for number, row in enumerate(found, start=1):
        assert row.number == number
        "".join(row.values.values()).encode()
        assert row.problem is None or row.problem.code in PROBLEMS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (1234, "1234"),
        (1234.0, "1234"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (float("nan"), ""),
        (Decimal("12.50"), "12.50"),
        (date(2024, 2, 1), "2024-02-01"),
        (datetime(2024, 2, 1, 9, 30, tzinfo=UTC), "2024-02-01T09:30:00+00:00"),
        (b"bytes", "bytes"),
        ("text", "text"),
    ],
)
def test_values_of_records_become_plain_text(value: Any, expected: str) -> None:
    (row,) = rows_from_records([{"Address": "+1", "v": value}])
    assert row.values == {"address": "+1", "v": expected}
    assert row.problem is None


def test_records_have_the_problems_of_rows() -> None:
    records: list[dict[str, object]] = [
        {"address": "+1", "v": [1, 2]},
        {"address": "+2", "v": "a\0b"},
        {"address": "+3", "v": b"\xff"},
        {"address": "+4", "v": "x" * 10_001},
        {"address": "+5"},
    ]
    found = list(rows_from_records(records))
    assert [row.problem and row.problem.code for row in found] == [
        "row_malformed",
        "row_not_text",
        "row_not_text",
        "cell_too_long",
        None,
    ]
    assert found[4].values == {"address": "+5", "v": ""}


def test_records_without_an_address_column_are_refused() -> None:
    with pytest.raises(AudienceError, match="no address column"):
        list(rows_from_records([{"name": "a"}]))
    assert list(rows_from_records([])) == []
    assert check_columns([" Address", "orderId"]) == ["address", "orderId"]
