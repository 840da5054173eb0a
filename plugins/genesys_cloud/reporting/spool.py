"""The listings of a day on disk: one row a message, in order, whatever order they came in.

Listings gather in chunks. Of each chunk a run of rows, by creation, and a run of ids are written.
Merging the ids finds the messages that another chunk holds too; merging the rows leaves those out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genesys_cloud.outbound.status import Status
from genesys_cloud.reporting.sorted_runs import SortKeys, merge, read_run, write_run

CHUNK_ROWS = 65_536
"""Listings that are put in order in memory: about 20 MB."""

_RANKED = pa.array([status.word for status in sorted(Status)], pa.string())
_NEVER = np.iinfo(np.int64).max

_BY_ID: SortKeys = [("messageId", "ascending"), ("rank", "descending"), ("place", "descending")]
_BY_CREATION: SortKeys = [("order", "ascending"), ("messageId", "ascending")]


class Spool:
    """Takes listings in their order, and gives each message back once, by creation and id.

    Of the listings of a message the one whose status is furthest on is kept, and of equals the
    latest: pages shift while messages arrive, so that a message may be listed twice, and the second
    time it may have moved on.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._gathered: list[pa.RecordBatch] = []
        self._rows = 0
        self._runs = 0
        self._dropped = 0
        self._lost: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
        self._written = 0

    @property
    def listed(self) -> int:
        """The number of listings so far."""
        return self._written + self._rows

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep some listings."""
        self._gathered.append(batch)
        self._rows += batch.num_rows
        if self._rows >= CHUNK_ROWS:
            self._write()

    def unique(self) -> int:
        """Return the number of messages; more listings may come afterwards."""
        self._write()
        self._lost = np.zeros(self.listed, np.bool_)
        for block in merge(self._read("ids") if self._runs > 1 else [], ["messageId"], _BY_ID):
            self._lost[_repeated(block)] = True
        return self.listed - self._dropped - int(self._lost.sum())

    def rows(self) -> Iterator[pa.Table]:
        """Yield the messages in order, once `unique` has been asked for."""
        if self._lost is None:
            raise RuntimeError("unique() finds what rows() leaves out")
        for block in merge(self._read("rows"), ["order", "messageId"], _BY_CREATION):
            kept = pa.array(~self._lost[block["place"].to_numpy()])
            yield block.filter(kept).drop_columns(["place", "order"])

    def _write(self) -> None:
        """Write what has gathered, each message of it once, as a run of rows and one of ids."""
        if not self._rows:
            return
        chunk = pa.Table.from_batches(self._gathered).combine_chunks()
        self._gathered, self._rows = [], 0
        places = np.arange(self._written, self._written + chunk.num_rows)
        self._written += chunk.num_rows
        rank = pc.fill_null(pc.index_in(chunk["status"], value_set=_RANKED), -1)
        ids = pa.table({"messageId": chunk["messageId"], "rank": rank, "place": places})
        ids = ids.sort_by(list(_BY_ID)).combine_chunks()
        first = np.ones(ids.num_rows, np.bool_)
        first[1:] = pc.not_equal(ids["messageId"][1:], ids["messageId"][:-1]).to_numpy()
        ids = ids.filter(pa.array(first))
        self._dropped += chunk.num_rows - ids.num_rows
        order = pc.fill_null(chunk["createdDate"].cast(pa.int64()), _NEVER)
        rows = chunk.append_column("place", pa.array(places)).append_column("order", order)
        if ids.num_rows < rows.num_rows:
            rows = rows.take(pc.subtract(ids["place"], int(places[0])))
        self._runs += 1
        write_run(self._directory / f"ids.{self._runs}", ids)
        write_run(self._directory / f"rows.{self._runs}", rows.sort_by(list(_BY_CREATION)))

    def _read(self, kind: str) -> Iterator[Iterator[pa.RecordBatch]]:
        for number in range(1, self._runs + 1):
            yield read_run(self._directory / f"{kind}.{number}")


def _repeated(block: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the places of rows whose id is that of the row before."""
    same = pc.equal(block["messageId"][1:], block["messageId"][:-1])
    places: np.ndarray[tuple[int], np.dtype[np.int64]] = block["place"][1:].filter(same).to_numpy()
    return places
