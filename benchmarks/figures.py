"""What the figures and the report of a day cost, and the report of a range of days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import day
from benchmarks.fresh import forget_peak, in_fresh_process, memory_mb, peak_mb
from benchmarks.scale import Scale
from benchmarks.table import Table
from benchmarks.timing import Cost, cost_of, interleave, seconds, times_as_long

if TYPE_CHECKING:
    import pandas as pd

NAIVE = "pandas groupby, totals only"
BROKEN_DOWN = "pandas groupby, the breakdowns too"
FIGURES = "figures and report of a day"
RANGE = "report of a range of days"
_WARM_UP = 200
_SHARES = [0.5, 0.9, 0.95, 0.99]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The rows of the day, the days and rows of the range, and how often each is measured."""

    rows: int
    days: int
    rows_a_day: int
    rounds: int


SIZES = {
    Scale.FULL: Sizes(rows=1_000_000, days=30, rows_a_day=100_000, rounds=3),
    Scale.QUICK: Sizes(rows=100_000, days=5, rows_a_day=20_000, rounds=2),
    Scale.TINY: Sizes(rows=500, days=2, rows_a_day=100, rounds=1),
}


@dataclass(frozen=True, kw_only=True)
class Made(Cost):
    """What one pass took; `peak_mb` is the memory beyond that of the imports and of the frame."""

    peak_mb: float


def figure(sizes: Sizes, folder: Path) -> Table:
    """Compare figures and report with groupbys by hand, in a fresh process each."""
    file = folder / "day.parquet"
    in_fresh_process(write_day, file, sizes.rows, 0)
    root = folder / "exports"
    in_fresh_process(write_range, root, sizes)
    of_a_day = {NAIVE: naive, BROKEN_DOWN: broken_down, FIGURES: figures_and_report}
    contestants: dict[str, Callable[[], Made]] = {
        name: _of_a_day(work, file) for name, work in of_a_day.items()
    }
    contestants[RANGE] = lambda: in_fresh_process(measure_range, root, sizes.days)
    rows = dict.fromkeys(of_a_day, sizes.rows) | {RANGE: sizes.days * sizes.rows_a_day}
    return _table(sizes, rows, interleave(contestants, sizes.rounds))


def _of_a_day(work: Callable[[Path, pd.DataFrame], None], file: Path) -> Callable[[], Made]:
    return lambda: in_fresh_process(measure, work, file)


def measure(work: Callable[[Path, pd.DataFrame], None], file: Path) -> Made:
    """Work on few rows first, then measure; the frame is there before the clock starts."""
    frame = read_frame(file)
    work(file.with_suffix(".html"), frame.head(_WARM_UP))
    return _made(lambda: work(file.with_suffix(".html"), frame))


def measure_range(root: Path, days: int) -> Made:
    """Report on one day first, then measure the whole range, from files to file."""
    report_range(root, 1)
    return _made(lambda: report_range(root, days))


def _made(work: Callable[[], None]) -> Made:
    before = memory_mb()
    forget_peak()
    cost = cost_of(work)
    return Made(seconds=cost.seconds, cpu_s=cost.cpu_s, peak_mb=peak_mb() - before)


def read_frame(parquet: Path) -> pd.DataFrame:
    """Return the rows of a partition's Parquet file, with categories for its texts."""
    import pyarrow.parquet as pq

    from genesys_cloud.reporting.tallies import COLUMNS, TEXTS

    table = pq.read_table(parquet, columns=list(COLUMNS), read_dictionary=list(TEXTS))
    # Each column is let go of as soon as the frame has it.
    return table.to_pandas(self_destruct=True, split_blocks=True)


def figures_and_report(target: Path, frame: pd.DataFrame) -> None:
    """Make every figure of metrics.json and the HTML report."""
    from genesys_cloud.reporting.metrics import figures, to_json
    from genesys_cloud.reporting.reports import Source, delivery
    from genesys_cloud.reporting.tallies import tally

    tallies = tally(frame)
    metrics = figures(tallies)
    to_json(metrics)
    manifest: Any = _Manifest(len(frame))
    source = Source(tallies=tallies, metrics=metrics, manifest=manifest, states={})
    target.write_text(delivery(source), encoding="utf-8")


def naive(_target: Path, frame: pd.DataFrame) -> None:
    """Count statuses and take the percentiles of both latencies, of the whole day alone."""
    frame.groupby("status", observed=True).size()
    for column in ("latencyMs", "deliveryLatencyMs"):
        kept = frame.loc[frame[column] >= 0, column]
        kept.agg(["count", "mean", "max"])
        kept.quantile(_SHARES)


def broken_down(target: Path, frame: pd.DataFrame) -> None:
    """Do the same for the whole and by day, hour, channel, campaign and language."""
    naive(target, frame)
    created = frame["createdDate"].dt
    texts = (frame[name] for name in ("channelType", "campaignId", "language"))
    for key in (created.floor("D"), created.hour, *texts):
        frame.groupby([key, "status"], observed=True).size()
        for column in ("latencyMs", "deliveryLatencyMs"):
            grouped = frame[frame[column] >= 0].groupby(key, observed=True)[column]
            grouped.agg(["count", "mean", "max"])
            grouped.quantile(_SHARES)


def report_range(root: Path, days: int) -> None:
    """Read the partitions and write the report of all their days."""
    from genesys_cloud.reporting.range_reports import over_range
    from genesys_cloud.reporting.ranges import read_range

    first = day.START.date()
    found = read_range(root, first, first + timedelta(days=days - 1))
    (root / "range.html").write_text(over_range(found), encoding="utf-8")


@dataclass(frozen=True)
class _Manifest:
    """As much of a manifest as the report of a frame needs."""

    rows: int

    def as_dict(self) -> dict[str, Any]:
        return {"day": day.START.date().isoformat(), "rows": self.rows, "revision": 1}


def write_range(root: Path, sizes: Sizes) -> None:
    """Write the partitions of a range: their rows, and as much of a manifest as is needed."""
    import json

    for number in range(sizes.days):
        date = (day.START + timedelta(days=number)).date().isoformat()
        place = root / "deliveries" / f"date={date}"
        place.mkdir(parents=True)
        write_day(place / "deliveries.parquet", sizes.rows_a_day, number)
        manifest = {"day": date, "rows": sizes.rows_a_day, "revision": 1}
        (place / "manifest.json").write_text(json.dumps(manifest))


def write_day(file: Path, rows: int, number: int) -> None:
    """Write a day's rows: 20 campaigns, long latency tails, a few failures; always the same."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from genesys_cloud.reporting.frames import SCHEMA

    dice = np.random.default_rng(number)
    midnight = int((day.START + timedelta(days=number)).timestamp() * 1_000)
    created = midnight + np.sort(dice.integers(0, 86_400_000, rows))
    send = dice.lognormal(6.4, 0.6, rows).astype("int64")
    delivery = send + dice.lognormal(7.8, 0.7, rows).astype("int64")
    status = dice.choice(["delivered", "read", "failed", "queued"], rows, p=[0.7, 0.2, 0.06, 0.04])
    failed = status == "failed"
    left = status != "queued"
    columns: dict[str, Any] = {
        "messageId": [f"msg-{number}-{place}" for place in range(rows)],
        "channelType": dice.choice(["messaging:sms", "messaging:whatsapp"], rows),
        "status": status,
        "createdDate": created,
        "sentDate": np.ma.array(created + send, mask=~left),
        "deliveredDate": np.ma.array(created + delivery, mask=failed | ~left),
        "latencyMs": np.ma.array(send, mask=~left),
        "deliveryLatencyMs": np.ma.array(delivery, mask=failed | ~left),
        "errorCode": np.ma.array(dice.choice(["30003", "30005"], rows), mask=~failed),
        "campaignId": np.char.add("campaign-", dice.integers(0, 20, rows).astype("U2")),
        "language": dice.choice(["en", "es", "fr", "de"], rows),
        "inLedger": np.ones(rows, dtype=bool),
        "segments": dice.integers(1, 3, rows),
        "isTest": np.zeros(rows, dtype=bool),
    }
    arrays = [_array(columns.get(field.name), rows, field.type) for field in SCHEMA]
    pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), file, compression="zstd")


def _array(values: Any, rows: int, kind: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    if values is None:
        return pa.nulls(rows, kind)
    if isinstance(values, list):
        return pa.array(values, kind)
    mask = np.ma.getmaskarray(values)
    return pa.array(np.ma.getdata(values), mask=mask).cast(kind)


def _table(sizes: Sizes, rows: Mapping[str, int], made: Mapping[str, Sequence[Made]]) -> Table:
    return Table(
        title="Figures and reports",
        columns=("", "rows", "seconds", "peak memory, MB", "time beside pandas"),
        rows=[
            [
                name,
                f"{rows[name]:,}",
                f"{seconds(each):.2f}",
                f"{median(one.peak_mb for one in each):.0f}",
                times_as_long(each, made[BROKEN_DOWN]) if name != RANGE else "",
            ]
            for name, each in made.items()
        ],
        notes=(
            f"Median of {sizes.rounds} fresh processes each, interleaved. The first three rows "
            "begin with the day's frame in memory, which their peak leaves out; the range begins "
            "with Parquet files and includes everything.",
            "The groupbys by hand make no intervals, funnel, failure reasons, charts or HTML, and "
            "what has no campaign or language falls out of them.",
        ),
    )
