"""What a day's partition costs, beside a plain pandas script over the same pages."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import day
from benchmarks.fresh import forget_peak, in_fresh_process, memory_mb, peak_mb
from benchmarks.scale import Scale
from benchmarks.table import Table
from benchmarks.timing import Cost, cost_of, interleave, seconds, times_as_long

PANDAS = "plain pandas"
PARTITION = "partition"
_WARM_UP = 50


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Days, by their number of messages, and how often each is built."""

    days: Sequence[int]
    rounds: int


SIZES = {
    Scale.FULL: Sizes(days=(5_000, 100_000), rounds=5),
    Scale.QUICK: Sizes(days=(5_000, 20_000), rounds=2),
    Scale.TINY: Sizes(days=(200,), rounds=1),
}


@dataclass(frozen=True, kw_only=True)
class Build(Cost):
    """What one build took; `peak_mb` is the memory beyond that of the imports."""

    peak_mb: float


def figure(sizes: Sizes, folder: Path) -> Table:
    """Compare a partition with CSV by pandas, in a fresh process each."""
    rows: list[list[str]] = []
    for count in sizes.days:
        pages = folder / f"{count}.jsonl"
        day.write_pages(pages, count)
        rows += _rows(count, _builds(pages, sizes.rounds))
    return Table(
        title="Building the delivery report of a day",
        columns=("", "rows", "seconds", "rows a second", "peak memory, MB", "time beside pandas"),
        rows=rows,
        notes=(
            f"Median of {sizes.rounds} fresh processes each, interleaved, from pages of 100 as "
            "JSON on disk; imports are done before the clock starts, and not in the peak.",
            "Plain pandas makes one CSV. A partition is checked against the API's total, "
            "deduplicated and sorted, and has Parquet, CSV, figures and an HTML report with "
            "charts, each flushed to disk.",
        ),
    )


def _builds(pages: Path, rounds: int) -> dict[str, list[Build]]:
    contestants = {
        PANDAS: lambda: in_fresh_process(build, with_pandas, pages),
        PARTITION: lambda: in_fresh_process(build, partition, pages),
    }
    return interleave(contestants, rounds)


def build(work: Callable[[Path, Path], None], pages: Path) -> Build:
    """Do the work on a small day first, then measure it; for a fresh process."""
    with tempfile.TemporaryDirectory() as name:
        small = Path(name) / "small.jsonl"
        day.write_pages(small, _WARM_UP)
        work(small, Path(name) / "first")
        before = memory_mb()
        forget_peak()
        cost = cost_of(lambda: work(pages, Path(name) / "second"))
    return Build(seconds=cost.seconds, cpu_s=cost.cpu_s, peak_mb=peak_mb() - before)


def partition(pages: Path, target: Path) -> None:
    """Build the partition as the DAG's task does, with a ledger that knows no message."""
    from genesys_cloud.api.profiles.messaging import parse_page
    from genesys_cloud.reporting.partitions import build_partition

    parsed = (parse_page(body, number) for number, body in enumerate(day.read_pages(pages), 1))
    build_partition(parsed, lambda _ids: {}, target, day.START, day.END)


def with_pandas(pages: Path, target: Path) -> None:
    """Read the pages, join them, add the latency, write CSV."""
    import pandas as pd

    target.mkdir()
    frame = pd.concat([pd.DataFrame(page["entities"]) for page in day.read_pages(pages)])
    sent, created = pd.to_datetime(frame["sentDate"]), pd.to_datetime(frame["createdDate"])
    frame["latencyMs"] = (sent - created).dt.total_seconds() * 1_000
    frame.to_csv(target / "deliveries.csv", index=False)


def _rows(count: int, builds: Mapping[str, Sequence[Build]]) -> list[list[str]]:
    return [
        [
            name,
            f"{count:,}",
            f"{seconds(each):.2f}",
            f"{count / seconds(each):,.0f}",
            f"{median(one.peak_mb for one in each):.0f}",
            times_as_long(each, builds[PANDAS]),
        ]
        for name, each in builds.items()
    ]
