"""One day of delivery pages, checked against the API's own total, as Parquet and CSV.

Pages go to a spool on disk as they come, so that memory does not grow with them. The day is then
put in order in memory at once, about 1 KB a row: a day of a million messages needs 1 GB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genesys_cloud.errors import IncompleteExportError
from genesys_cloud.outbound.deliveries import DeliveryPage, LedgerFact
from genesys_cloud.outbound.status import Status
from genesys_cloud.reporting.csv_file import write_csv
from genesys_cloud.reporting.frames import SCHEMA, to_batch

Facts = Callable[[Sequence[str]], Mapping[str, LedgerFact]]
"""Looks up ledger facts for many message ids at once; ids that it does not know are left out."""

PARQUET = "deliveries.parquet"
CSV = "deliveries.csv"
_SPOOL = ".spool.arrow"
_RANKED = pa.array([status.word for status in sorted(Status)], pa.string())


@dataclass(frozen=True, kw_only=True)
class DayExport:
    """What an export counted: rows, and what was left out of the listing and why.

    `duplicates_dropped` are listings of a message beyond its first; `outside_interval` are
    messages that were created before the interval or at its end or later.
    """

    table: pa.Table = field(repr=False)
    pages: int
    api_total: int | None
    duplicates_dropped: int
    outside_interval: int
    content_digest: str

    @property
    def rows(self) -> int:
        """The number of messages in the files."""
        return cast("int", self.table.num_rows)

    @property
    def not_in_ledger(self) -> int:
        """The number of rows that the ledger knows nothing of."""
        return self.rows - (pc.sum(self.table["inLedger"]).as_py() or 0)

    @property
    def watermark(self) -> datetime | None:
        """The latest created date among the rows, None where there is none."""
        latest: datetime | None = pc.max(self.table["createdDate"]).as_py()
        return latest and latest.astimezone(UTC)


def export_day(
    pages: Iterable[DeliveryPage], facts: Facts, target: Path, start: datetime, end: datetime
) -> DayExport:
    """Write the messages created in [start, end) into the directory `target`.

    The same messages give the same bytes, in whatever order and on whatever pages they came.
    Raises IncompleteExportError where fewer messages came than the API counts.
    """
    spool = target / _SPOOL
    count, last = _spool_pages(pages, facts, spool)
    listed = _read(spool)
    unique = _unique(listed)
    total = last.total if last else None
    _check_complete(unique.num_rows, last, start.astimezone(UTC).date())
    table = _in_order(_within(unique, start, end))
    pq.write_table(table, target / PARQUET, compression="zstd")
    write_csv(table, target / CSV)
    spool.unlink()
    return DayExport(
        table=table,
        pages=count,
        api_total=total,
        duplicates_dropped=listed.num_rows - unique.num_rows,
        outside_interval=unique.num_rows - table.num_rows,
        content_digest=_digest(target / CSV),
    )


def _spool_pages(
    pages: Iterable[DeliveryPage], facts: Facts, spool: Path
) -> tuple[int, DeliveryPage | None]:
    """Write every page to the spool; return how many there were, and the last one."""
    count, last = 0, None
    with pa.ipc.new_file(str(spool), SCHEMA) as writer:
        for page in pages:
            count, last = count + 1, page
            known = facts([delivery.message_id for delivery in page.deliveries])
            writer.write_batch(to_batch(page.deliveries, known))
    return count, last


def _read(spool: Path) -> pa.Table:
    """Map the spool into memory, so that the system may drop its pages again."""
    with pa.memory_map(str(spool)) as source:
        return pa.ipc.open_file(source).read_all()


def _unique(listed: pa.Table) -> pa.Table:
    """Keep one row for each message id: the status furthest on, and of equals the latest listed.

    Pages shift while messages arrive, so that a message may be listed twice, and the second time
    it may have moved on.
    """
    rank = pc.fill_null(pc.index_in(listed["status"], value_set=_RANKED), -1)
    keys = pa.table(
        {"id": listed["messageId"], "rank": rank, "place": pa.array(range(listed.num_rows))}
    )
    order = [("id", "ascending"), ("rank", "descending"), ("place", "descending")]
    keys = keys.sort_by(order).combine_chunks()
    first = pc.not_equal(keys["id"][1:], keys["id"][:-1]).combine_chunks()
    head = pa.array([True] * min(1, keys.num_rows), pa.bool_())
    places = keys["place"].filter(pa.chunked_array([head, first]))
    return listed.take(places)


def _within(table: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Drop what was created outside [start, end); a message without a created date stays."""
    created, kind = table["createdDate"], SCHEMA.field("createdDate").type
    inside = pc.and_(
        pc.greater_equal(created, pa.scalar(start, kind)), pc.less(created, pa.scalar(end, kind))
    )
    return table.filter(pc.fill_null(inside, True))


def _in_order(table: pa.Table) -> pa.Table:
    order = [("createdDate", "ascending"), ("messageId", "ascending")]
    return table.sort_by(order).combine_chunks()


def _check_complete(unique: int, last: DeliveryPage | None, day: date) -> None:
    """Raise where the list broke off or holds fewer messages than its last page counts."""
    if last is None:
        return
    if last.has_more:
        raise IncompleteExportError(
            f"The export of {day} stopped at page {last.number} although more pages follow; the "
            "old partition stays. Run the day again, with a higher page cap if one was reached."
        )
    if last.total is not None and unique < last.total:
        raise IncompleteExportError(
            f"The export of {day} has {unique} of {last.total} messages, {last.total - unique} "
            "are missing; the old partition stays. Run the day again, messages may have arrived "
            "while its pages were read."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
