"""What another revision of a day changed, row by row, in memory that does not grow with the day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genesys_cloud.reporting.sorted_runs import SortKeys, merge

_KEYS = ("order", "messageId")
_SORT: SortKeys = [("order", "ascending"), ("messageId", "ascending"), ("new", "ascending")]
_NEVER = np.iinfo(np.int64).max
_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How a revision differs from an earlier one, `since`.

    `changed` rows have another value in any column that both revisions have; `statuses` counts
    those with another status, by `from->to`.
    """

    since: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the changes with their names in the manifest."""
        return {
            "sinceRevision": self.since,
            "rowsAdded": self.added,
            "rowsRemoved": self.removed,
            "rowsChanged": self.changed,
            "statuses": dict(sorted(self.statuses.items())),
        }


def compare(old: Any, new: Any, *, since: int) -> Changes:
    """Compare two Parquet files of a day, each given as its path or as an open file."""
    added = removed = changed = 0
    statuses: Counter[str] = Counter()
    with pq.ParquetFile(old) as before, pq.ParquetFile(new) as after:
        shared = [name for name in after.schema_arrow.names if name in before.schema_arrow.names]
        for block in merge([_run(before, shared, False), _run(after, shared, True)], _KEYS, _SORT):
            left, right = _pairs(block)
            added += int(pc.sum(block["new"]).as_py() or 0) - left.num_rows
            removed += block.num_rows - int(pc.sum(block["new"]).as_py() or 0) - left.num_rows
            differs = _differs(left, right, shared)
            changed += int(differs.sum())
            statuses.update(_moves(left["status"], right["status"]))
    return Changes(since=since, added=added, removed=removed, changed=changed, statuses=statuses)


def _run(file: pq.ParquetFile, columns: list[str], new: bool) -> Iterator[pa.RecordBatch]:
    for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns):
        order = pc.fill_null(batch.column("createdDate").cast(pa.int64()), _NEVER)
        side = pa.array(np.full(batch.num_rows, new))
        yield batch.append_column("order", order).append_column("new", side)


def _pairs(block: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the rows of messages that both revisions have, old and new in the same order."""
    same = np.zeros(block.num_rows, np.bool_)
    same[1:] = pc.equal(block["messageId"][1:], block["messageId"][:-1]).to_numpy()
    return block.filter(pa.array(np.roll(same, -1))), block.filter(pa.array(same))


def _differs(
    left: pa.Table, right: pa.Table, columns: list[str]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found = np.zeros(left.num_rows, np.bool_)
    for name in columns:
        one, other = left[name], right[name]
        unequal = pc.fill_null(pc.not_equal(one, other), False)
        found |= pc.or_(unequal, pc.xor(pc.is_null(one), pc.is_null(other))).to_numpy()
    return found


def _moves(before: pa.ChunkedArray, after: pa.ChunkedArray) -> dict[str, int]:
    moved = pc.not_equal(before, after)
    words = pc.binary_join_element_wise(before.filter(moved), after.filter(moved), "->")
    return {each["values"]: each["counts"] for each in pc.value_counts(words).to_pylist()}
