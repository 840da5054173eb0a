"""Whether the receiver's memory stays where it is, however many events it counts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ledgers, load
from benchmarks.receiver import accept, environment
from benchmarks.scale import Scale
from benchmarks.servers import Server
from benchmarks.table import Table

AT_A_TIME = 5_000
"""Messages whose events are made and sent in one go; the sender's memory is not what is asked."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """After how many events the memory is looked at."""

    marks: Sequence[int]


SIZES = {
    Scale.FULL: Sizes(marks=(10_000, 100_000, 250_000, 500_000, 1_000_000)),
    Scale.QUICK: Sizes(marks=(10_000, 50_000, 100_000)),
    Scale.TINY: Sizes(marks=(20,)),
}


def figure(sizes: Sizes, folder: Path) -> Table:
    """Send events, and note the receiver's memory at the marks."""
    rows: list[list[str]] = []
    counted, began = 0, time.perf_counter()
    with ledgers.open_ledgers(folder, [ledgers.SQLITE]) as opened:
        (ledger,) = opened.values()
        with Server("genesys_cloud.webhook", env=environment(folder, ledger)) as server:
            for mark in sizes.marks:
                while counted < mark:
                    prefix = f"e{counted}"
                    most = min(AT_A_TIME, (mark - counted + 1) // len(load.STATUSES))
                    accept(ledger, prefix, most)
                    names = [f"{prefix}-{number}" for number in range(1, most + 1)]
                    load.post(server.port, load.requests(load.events(names)), 32)
                    counted += most * len(load.STATUSES)
                size = (folder_size(folder)) / 1e6
                elapsed = time.perf_counter() - began
                rows.append(
                    [f"{counted:,}", f"{server.memory_mb():.0f}", f"{size:,.0f}", f"{elapsed:,.0f}"]
                )
    return Table(
        title="The receiver's memory",
        columns=("events counted", "MB of memory", "MB of ledger", "seconds"),
        rows=rows,
        notes=("One receiver on SQLite, 32 connections; a tenth of the events came twice.",),
    )


def folder_size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
