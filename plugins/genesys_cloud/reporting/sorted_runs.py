"""Sorting more rows than memory holds: sorted runs on disk, merged a block at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Order = Literal["ascending", "descending"]
SortKeys = Sequence[tuple[str, Order]]

ROWS_AT_ONCE = 512
"""Rows of each run that a merge holds in memory."""


def write_run(path: Path, rows: pa.Table) -> None:
    """Write rows that are sorted already."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=ROWS_AT_ONCE)


def read_run(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a run; not by a memory map, whose pages would count as this process'."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        yield from reader


def merge(
    runs: Iterable[Iterator[pa.RecordBatch]], keys: Sequence[str], sort: SortKeys
) -> Iterator[pa.Table]:
    """Yield the rows of sorted runs as sorted blocks, in memory that grows only with their number.

    `keys` are columns without null by which the runs ascend, no two rows of one run with equal
    ones; `sort` begins with them and says what comes first of equal rows of different runs, which
    are always in the same block.
    """
    heads = [_Head(run, keys) for run in runs]
    while heads := [head for head in heads if head.filled()]:
        bound = min(head.last for head in heads)
        taken = [part for head in heads if (part := head.take(bound)) is not None]
        block = pa.Table.from_batches(taken)
        # In one piece, for rows that are in many are sorted several times slower.
        yield block.combine_chunks().sort_by(list(sort)) if len(taken) > 1 else block


class _Head:
    """The rows of a run that come next."""

    def __init__(self, run: Iterator[pa.RecordBatch], keys: Sequence[str]) -> None:
        self._run = run
        self._keys = keys
        self._batch: pa.RecordBatch | None = None

    def filled(self) -> bool:
        """Make sure that there are rows; return False where the run has ended."""
        while self._batch is None or not self._batch.num_rows:
            self._batch = next(self._run, None)
            if self._batch is None:
                return False
            self.first, self.last = self._key(0), self._key(self._batch.num_rows - 1)
        return True

    def take(self, bound: tuple[object, ...]) -> pa.RecordBatch | None:
        """Return the rows up to `bound` and keep the others, None where there are none."""
        if self._batch is None or self.first > bound:
            return None
        whole = self.last == bound
        count = self._batch.num_rows if whole else _count_up_to(self._batch, self._keys, bound)
        taken, self._batch = self._batch.slice(0, count), self._batch.slice(count)
        if self._batch.num_rows:
            self.first = self._key(0)
        return taken

    def _key(self, row: int) -> tuple[object, ...]:
        return tuple(self._batch.column(name)[row].as_py() for name in self._keys)  # type: ignore[union-attr]


def _count_up_to(batch: pa.RecordBatch, keys: Sequence[str], bound: tuple[object, ...]) -> int:
    """Return how many rows have a key of at most `bound`, compared from the last column on."""
    up_to: pa.Array | None = None
    for name, limit in reversed(list(zip(keys, bound, strict=True))):
        column = batch.column(name)
        if up_to is None:
            up_to = pc.less_equal(column, limit)
        else:
            up_to = pc.or_(pc.less(column, limit), pc.and_(pc.equal(column, limit), up_to))
    return int(pc.sum(up_to).as_py() or 0)
