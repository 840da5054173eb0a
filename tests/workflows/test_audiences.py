from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from genesys_cloud.errors import AudienceError
from genesys_cloud.outbound.audience import Row
from genesys_cloud.workflows.audiences import open_audience


def read(path: Path) -> list[Row]:
    with open_audience(str(path), path.parent) as rows:
        return list(rows)


def written(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "list.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    return path


def codes(rows: list[Row]) -> list[str | None]:
    return [row.problem and row.problem.code for row in rows]


def not_utf8() -> Any:
    """Three texts, of which the second is not UTF-8, as only another writer than ours makes it."""
    buffers = pyarrow.array([b"ok", b"caf\xe9", b"fine"]).buffers()
    return pyarrow.Array.from_buffers(pyarrow.string(), 3, buffers)


def test_every_plain_kind_of_column_is_text(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "address": ["+12025550101", "+12025550102"],
            "decimal": pyarrow.array([Decimal("12.50"), None], pyarrow.decimal128(10, 2)),
            "bytes": pyarrow.array([b"abc", None], pyarrow.binary()),
            "words": pyarrow.array(["a", None]).dictionary_encode(),
            "at": [datetime(2026, 12, 1, 9, 30, tzinfo=UTC), None],
            "count": pyarrow.array([7, None], pyarrow.int64()),
            "nothing": pyarrow.nulls(2),
        },
    )
    first, second = read(path)
    assert list(first.values.values()) == [
        "+12025550101", "12.50", "abc", "a", "2026-12-01T09:30:00+00:00", "7", "",
    ]  # fmt: skip
    assert list(second.values.values()) == ["+12025550102", *[""] * 6]
    assert codes([first, second]) == [None, None]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([["a"], None, ["b"]], ["row_malformed", None, "row_malformed"]),
        ([{"a": 1}, None, None], ["row_malformed", None, None]),
        (not_utf8(), [None, "row_not_text", None]),
        (pyarrow.array([b"a", b"\xff", b"\0"]), [None, "row_not_text", "row_not_text"]),
        (
            pyarrow.array([1, 2**31 - 1, 2], pyarrow.int32()).cast(pyarrow.date32()),
            [None, "row_malformed", None],
        ),
        (["x", "x" * 1_000_000, "x"], [None, "cell_too_long", None]),
    ],
)
def test_a_value_that_is_no_plain_text_spoils_its_row_alone(
    tmp_path: Path, column: Any, expected: list[str | None]
) -> None:
    rows = read(written(tmp_path, {"address": ["+1", "+2", "+3"], "value": column}))
    assert codes(rows) == expected
    assert [row.values["address"] for row in rows] == ["+1", "+2", "+3"]


def test_a_table_without_rows_has_none(tmp_path: Path) -> None:
    assert read(written(tmp_path, {"address": pyarrow.array([], pyarrow.string())})) == []


def test_a_table_that_breaks_off_is_an_audience_error(tmp_path: Path) -> None:
    path = written(tmp_path, {"address": ["+12025550101"] * 1_000})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(AudienceError, match=r"parquet' can't be used\. It begins like Parquet"):
        read(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"address\n+1\n", mtime=0), "a gzip file"),
        (b"<!doctype html><title>Sign in</title>", "a web page"),
        (b"", "is empty"),
        (b"PAR1", "begins like Parquet and is none"),
    ],
)
def test_a_file_that_is_no_list_says_what_it_is(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    with pytest.raises(AudienceError, match=reason):
        read(path)
