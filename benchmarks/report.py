"""What a day's export costs, beside a plain loop over the same pages of the same server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import day
from benchmarks.accounts import client
from benchmarks.fresh import forget_peak, in_fresh_process, peak_mb
from benchmarks.scale import Scale
from benchmarks.servers import Server
from benchmarks.table import Table
from benchmarks.timing import Cost, cost_of, interleave, seconds

LOOP = "plain loop"
EXPORT = "export"
PARTITION = "partition with report"
_WARM_UP = 200

_COLUMNS = ("id", "channelType", "status", "createdDate", "sentDate", "deliveredDate")


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day to export: its messages, and how long the server takes for a page of 100."""

    rows: int
    wait_ms: int
    rounds: int
    partition: bool = False


SIZES = {
    Scale.FULL: (
        Day(rows=100_000, wait_ms=0, rounds=3, partition=True),
        Day(rows=100_000, wait_ms=50, rounds=1),
        Day(rows=1_000_000, wait_ms=0, rounds=1, partition=True),
    ),
    Scale.QUICK: (
        Day(rows=20_000, wait_ms=0, rounds=2, partition=True),
        Day(rows=20_000, wait_ms=50, rounds=1),
    ),
    Scale.TINY: (Day(rows=200, wait_ms=1, rounds=1, partition=True),),
}


@dataclass(frozen=True, kw_only=True)
class Build(Cost):
    """What one export took; `peak_mb` is all memory of its process, imports included."""

    peak_mb: float


def figure(days: Sequence[Day], folder: Path) -> Table:
    """Compare export and partition with the loop, in a fresh process each."""
    rows: list[list[str]] = []
    for each in days:
        pages = folder / f"{each.rows}.jsonl"
        if not pages.exists():
            day.write_pages(pages, each.rows)
        rows += _rows(each, _builds(each, pages, folder))
    return Table(
        title="Exporting a day of messages",
        columns=("", "rows", "ms a page", "seconds", "rows a second", "peak, MB", "beside loop"),
        rows=rows,
        notes=(
            "Fresh processes, interleaved, medians; imports are done before the clock starts and "
            "are in the peak. Each gets pages of 100 by HTTP from a server of its own process "
            "that does nothing else; `ms a page` is how long it waits before it answers.",
            "The plain loop asks for a page at a time with a requests session, keeps all rows, and "
            "writes Parquet and CSV with pandas; that is all it does.",
            "The export fetches up to 8 pages at once, joins with a ledger that knows no message, "
            "deduplicates, orders, holds the rows against the API's total, and writes Parquet, CSV "
            "and JSON lines. The partition has figures, report and manifest as well.",
            "`beside loop` is the rate over the loop's, round by round.",
        ),
    )


def _builds(each: Day, pages: Path, folder: Path) -> dict[str, list[Build]]:
    with Server(
        "benchmarks.page_server", "--pages", str(pages), "--wait-ms", str(each.wait_ms)
    ) as server:

        def contestant(work: Callable[[str, Path], None]) -> Callable[[], Build]:
            return lambda: in_fresh_process(build, work, server.url, folder)

        contestants = {LOOP: contestant(with_loop), EXPORT: contestant(export)}
        if each.partition:
            contestants[PARTITION] = contestant(partition)
        return interleave(contestants, each.rounds)


def build(work: Callable[[str, Path], None], url: str, folder: Path) -> Build:
    """Do the work on a small day first, then measure it; for a fresh process."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        small = Path(name) / "small.jsonl"
        day.write_pages(small, _WARM_UP)
        with Server("benchmarks.page_server", "--pages", str(small), "--wait-ms", "0") as server:
            work(server.url, _made(Path(name) / "first"))
        forget_peak()
        cost = cost_of(lambda: work(url, _made(Path(name) / "second")))
        return Build(seconds=cost.seconds, cpu_s=cost.cpu_s, peak_mb=peak_mb())


def export(url: str, target: Path) -> None:
    """Export as the DAG's task does, with a ledger that knows no message."""
    from genesys_cloud.reporting.export import export_day
    from genesys_cloud.workflows.exporting import PAGES_AHEAD

    with client(url, target / "state") as api:
        listing = api.listing(day.START, day.END, ahead=PAGES_AHEAD)
        export_day(listing, lambda _ids: {}, target, day.START, day.END)


def partition(url: str, target: Path) -> None:
    """Build the partition as the DAG's task does, with a ledger that knows no message."""
    from genesys_cloud.reporting.partitions import build_partition
    from genesys_cloud.workflows.exporting import PAGES_AHEAD

    with client(url, target / "state") as api:
        listing = api.listing(day.START, day.END, ahead=PAGES_AHEAD)
        build_partition(listing, lambda _ids: {}, target, day.START, day.END)


def with_loop(url: str, target: Path) -> None:
    """Read the pages one after the other, and write their rows with pandas."""
    import pandas as pd
    import requests

    rows: list[dict[str, Any]] = []
    with requests.Session() as session:
        number, more = 1, True
        while more:
            query = {"createdDate": "…", "pageSize": day.PAGE, "pageNumber": number}
            page = session.get(f"{url}/api/v2/messaging/messages", params=query).json()  # type: ignore[arg-type]
            rows += page["entities"]
            number, more = number + 1, page["hasMore"]
    frame = pd.DataFrame(rows)
    frame["campaignId"] = [row["metadata"]["campaignId"] for row in rows]
    frame = frame[[*_COLUMNS, "failedDate", "errorCode", "campaignId"]]
    for name in ("createdDate", "sentDate", "deliveredDate", "failedDate"):
        frame[name] = pd.to_datetime(frame[name])
    frame["latencyMs"] = (frame["sentDate"] - frame["createdDate"]).dt.total_seconds() * 1_000
    frame.to_parquet(target / "deliveries.parquet")
    frame.to_csv(target / "deliveries.csv", index=False)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _rows(each: Day, builds: Mapping[str, Sequence[Build]]) -> list[list[str]]:
    return [
        [
            name,
            f"{each.rows:,}",
            f"{each.wait_ms}",
            f"{seconds(costs):.1f}",
            f"{each.rows / seconds(costs):,.0f}",
            f"{median(one.peak_mb for one in costs):.0f}",
            _rate(costs, builds[LOOP]),
        ]
        for name, costs in builds.items()
    ]


def _rate(costs: Sequence[Build], loop: Sequence[Build]) -> str:
    pairs = zip(costs, loop, strict=True)
    return f"{median(base.seconds / one.seconds for one, base in pairs):.2f} x"
