"""The files of a day's rows, written together a row group at a time: Parquet, CSV, JSON lines.

Row groups are of one size wherever the rows come from, and nothing in the files says when they were
written, so that the same rows give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from genesys_cloud.reporting import csv_file, json_lines
from genesys_cloud.reporting.frames import SCHEMA

PARQUET = "deliveries.parquet"
CSV = "deliveries.csv"
JSON_LINES = "deliveries.jsonl"

GROUP_ROWS = 32_768
_LINES_AT_ONCE = 8_192


class RowFiles:
    """Writes row groups to the three files in a directory; `digest` is the SHA-256 of the CSV."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open = ExitStack()
        self._digest = hashlib.sha256()
        self._writing: list[Future[None]] = []

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            enter = opened.enter_context
            self._parquet = enter(
                pq.ParquetWriter(self._directory / PARQUET, SCHEMA, compression="zstd")
            )
            self._csv = enter((self._directory / CSV).open("wb"))
            self._json = enter((self._directory / JSON_LINES).open("wb"))
            # One thread a file: Arrow lets other threads run while it writes.
            self._threads = enter(ThreadPoolExecutor(3, thread_name_prefix="rows"))
            self._write_csv(csv_file.header(SCHEMA))
            self._open = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._open:
            if error is None:
                self._settle()

    @property
    def digest(self) -> str:
        """The SHA-256 of the CSV so far, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, group: pa.Table) -> None:
        """Begin to write a row group, once the one before is written."""
        self._settle()
        self._writing = [
            self._threads.submit(work, group)
            for work in (self._parquet.write_table, self._csv_lines, self._json_lines)
        ]

    def _settle(self) -> None:
        for writing in self._writing:
            writing.result()
        self._writing = []

    def _csv_lines(self, group: pa.Table) -> None:
        for batch in group.to_batches(max_chunksize=_LINES_AT_ONCE):
            self._write_csv(csv_file.lines(batch))

    def _write_csv(self, lines: bytes | memoryview) -> None:
        self._digest.update(lines)
        self._csv.write(lines)

    def _json_lines(self, group: pa.Table) -> None:
        for batch in group.to_batches(max_chunksize=_LINES_AT_ONCE):
            self._json.write(json_lines.lines(batch))


def row_groups(blocks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut rows that come in blocks of any size into groups of GROUP_ROWS; the last may be less."""
    gathered: list[pa.Table] = []
    rows = 0
    for block in blocks:
        gathered.append(block)
        rows += block.num_rows
        while rows >= GROUP_ROWS:
            whole = pa.concat_tables(gathered)
            yield whole.slice(0, GROUP_ROWS).combine_chunks()
            gathered, rows = [whole.slice(GROUP_ROWS)], rows - GROUP_ROWS
    if rows:
        yield pa.concat_tables(gathered).combine_chunks()
