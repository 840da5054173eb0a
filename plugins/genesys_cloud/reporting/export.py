"""One day of delivery pages, checked against the API's own total, as Parquet, CSV and JSON lines.

Pages are spooled to disk as they come and put in order there, so that a day of any size takes the
same memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from genesys_cloud.errors import IncompleteExportError
from genesys_cloud.outbound.deliveries import DeliveryPage
from genesys_cloud.reporting.frames import SCHEMA
from genesys_cloud.reporting.listing import DIFFERS, JUDGED, Facts, Learn, Listing, no_lesson
from genesys_cloud.reporting.row_files import RowFiles, row_groups
from genesys_cloud.reporting.spool import Spool


@dataclass(kw_only=True)
class Counted:
    """What was counted among the messages of a list.

    `rows` are in the files; `outside_interval` were created before the interval or at its end or
    later. Of the rows, `not_in_ledger` are unknown to it and `status_differs` have another status
    there; `tests` were sent as tests. `judged` are in the ledger and were surely created in the
    interval. `watermark` is the latest created date among the rows, None where there is none.
    """

    rows: int = 0
    outside_interval: int = 0
    not_in_ledger: int = 0
    status_differs: int = 0
    tests: int = 0
    judged: int = 0
    watermark: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DayExport:
    """What an export wrote, and what was left out of the listing and why.

    `duplicates_dropped` are listings of a message beyond its first, over all passes. With
    `total_is_approximate` the API's total may be off either way.
    """

    counted: Counted = field(repr=False)
    pages: int
    passes: int
    api_total: int | None
    total_is_approximate: bool
    duplicates_dropped: int
    moved_forward: int
    content_digest: str

    @property
    def rows(self) -> int:
        """The number of messages in the files."""
        return self.counted.rows


def export_day(
    pages: Iterable[DeliveryPage],
    facts: Facts,
    target: Path,
    start: datetime,
    end: datetime,
    *,
    learn: Learn = no_lesson,
) -> DayExport:
    """Write the messages created in [start, end) into the directory `target`.

    The same messages give the same bytes, in whatever order and on whatever pages they came. Where
    fewer came than the API counts and `pages` can be iterated over again, it is, once; both passes
    together then count. Raises IncompleteExportError where messages are still missing, save where
    the count is approximate and the second pass found nothing new.
    """
    with _lean_memory(), tempfile.TemporaryDirectory(prefix=".spool.", dir=target) as name:
        spool = Spool(Path(name))
        listing = Listing(spool, facts, learn, start, end)
        listing.read(pages)
        if listing.missing and not isinstance(pages, Iterator):
            listing.read(pages)
        _check_complete(listing, start.astimezone(UTC).date())
        unique, counted = listing.found[-1], Counted()
        with RowFiles(target) as files:
            for group in row_groups(_counting(spool.rows(), counted, start, end)):
                files.write(group)
        return DayExport(
            counted=counted,
            pages=listing.pages,
            passes=len(listing.found),
            api_total=listing.last.total if listing.last else None,
            total_is_approximate=listing.approximate,
            duplicates_dropped=spool.listed - unique,
            moved_forward=listing.moved_forward,
            content_digest=files.digest,
        )


@contextmanager
def _lean_memory() -> Iterator[None]:
    """Let Arrow use the system's allocator: its own keeps what each thread let go of."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def _counting(
    blocks: Iterable[pa.Table], counted: Counted, start: datetime, end: datetime
) -> Iterator[pa.Table]:
    """Pass on the rows of the interval, and count them and the others."""
    for block in blocks:
        rows = _within(block, start, end)
        counted.rows += rows.num_rows
        counted.outside_interval += block.num_rows - rows.num_rows
        counted.not_in_ledger += rows.num_rows - _true(rows["inLedger"])
        counted.status_differs += _true(rows[DIFFERS])
        counted.tests += _true(rows["isTest"])
        counted.judged += _true(block[JUDGED])
        latest: datetime | None = pc.max(rows["createdDate"]).as_py()
        if latest is not None:  # rows come by creation, those without one last
            counted.watermark = latest.astimezone(UTC)
        yield rows.select(SCHEMA.names)


def _within(table: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Drop what was created outside [start, end); a message without a created date stays."""
    created, kind = table["createdDate"], SCHEMA.field("createdDate").type
    inside = pc.and_(
        pc.greater_equal(created, pa.scalar(start, kind)), pc.less(created, pa.scalar(end, kind))
    )
    return table.filter(pc.fill_null(inside, True))


def _true(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column).as_py() or 0)


def _check_complete(listing: Listing, day: date) -> None:
    """Raise where the list broke off or holds fewer messages than its last page counts."""
    last = listing.last
    if last is not None and last.has_more:
        raise IncompleteExportError(
            f"The export of {day} stopped at page {last.number} although more pages follow; the "
            "old partition stays. Run the day again, with a higher page cap if one was reached."
        )
    if last is not None and listing.missing and not listing.settled:
        passes = "one pass" if len(listing.found) == 1 else f"{len(listing.found)} passes"
        raise IncompleteExportError(
            f"The export of {day} has {listing.found[-1]} of {last.total} messages after {passes} "
            f"over the list, {listing.missing} are missing; the old partition stays. Run the day "
            "again, messages may have arrived while its pages were read; where it lasts, the API "
            "counts messages that it does not list, and Genesys support needs the interval."
        )
