"""What rows add up to. Tallies of parts add up to the tally of the whole, so that a month can be
counted day by day in the memory of one day, and has the same figures as if it were one frame.
Messages that were sent as tests are counted by themselves, and nowhere else.

Latencies are whole milliseconds, so counting how often each occurs keeps their percentiles exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from genesys_cloud.outbound.status import REACHED, Status
from genesys_cloud.reporting.breakdowns import (
    BREAKDOWNS,
    GRIDS,
    WORDS,
    Keys,
    by_hour,
    everything,
)

LATENCIES: Mapping[str, str] = {"latency": "latencyMs", "deliveryLatency": "deliveryLatencyMs"}
"""The name of each latency among the figures, and its column."""

COLUMNS = (
    *("channelType", "status", "createdDate", "sentDate", "deliveredDate", "readDate"),
    *("latencyMs", "deliveryLatencyMs", "errorCode", "campaignId", "language", "segments"),
    "isTest",
)
"""The columns that a tally reads."""

TOTAL = "total"
TEXTS = ("channelType", "status", "errorCode", "campaignId", "language")
"""Those of them that hold text; a few words a column, so they are best read as categories."""
_REACHED_WORDS = {status.word for status in REACHED}
_SENT_WORDS = _REACHED_WORDS | {Status.SENT.word}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One breakdown: `counts` has a row for each key, and a column for each thing counted.

    `spans` holds, for each latency, how many messages of a group took how long: `group` is the
    place of the key in `counts`, `ms` the latency, in ascending order, `messages` their number.
    """

    counts: pd.DataFrame
    spans: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Tallies:
    """Every breakdown by its name, TOTAL among them; `grids` count what was delivered by hour.

    `tests` counts the rows that are in none of these, for they were sent as tests.
    """

    by: Mapping[str, Tally]
    grids: Mapping[str, pd.DataFrame]
    tests: int = 0

    @property
    def rows(self) -> int:
        """The number of rows, tests among them."""
        return int(self.by[TOTAL].counts["accepted"].sum()) + self.tests


def tally(frame: pd.DataFrame) -> Tallies:
    """Count the rows of a frame that has COLUMNS; text may be object, string or categorical."""
    # Each text is hashed once here; from then on its codes are compared, a tenth of the time.
    counted = frame.loc[~frame["isTest"].to_numpy(dtype=bool), list(COLUMNS)]
    tests = len(frame) - len(counted)
    frame = counted.astype(dict.fromkeys(TEXTS, "category"))
    marks = _marks(frame)
    latencies = {name: milliseconds(frame[column]) for name, column in LATENCIES.items()}
    keys = {TOTAL: everything, **BREAKDOWNS}
    by = {name: _tally(marks, latencies, key(frame)) for name, key in keys.items()}
    by |= {name: _tally(marks, {}, key(frame)) for name, key in WORDS.items()}
    hours = by_hour(frame)
    grids = {name: _grid(marks["delivered"], key(frame), hours) for name, key in GRIDS.items()}
    return Tallies(by=by, grids=grids, tests=tests)


def add_up(parts: Iterable[Tallies], first: Tallies) -> Tallies:
    """Return the tallies of all parts together; only the sum so far and one part are in memory."""
    return reduce(_sum, parts, first)


def milliseconds(column: pd.Series[Any]) -> Floats:
    """Return latencies as numbers, NaN where there is none."""
    return column.to_numpy(dtype="float64", na_value=np.nan)


def spans_of(latency: Floats, groups: npt.NDArray[Any]) -> pd.DataFrame:
    """Count how many messages of a group took how long; a negative latency is left out."""
    valid = latency >= 0  # NaN is not
    taken = pd.DataFrame({"group": groups[valid], "ms": latency[valid].astype("int64")})
    return taken.groupby(["group", "ms"]).size().rename("messages").reset_index()


def _marks(frame: pd.DataFrame) -> pd.DataFrame:
    """Return for each row what it counts as; a negative latency is skew."""
    status = frame["status"]
    reached = frame["deliveredDate"].notna() | frame["readDate"].notna()
    failed = status == Status.FAILED.word
    skewed = [milliseconds(frame[column]) < 0 for column in LATENCIES.values()]
    return pd.DataFrame(
        {
            "accepted": np.ones(len(frame), dtype=bool),
            "sent": status.isin(_SENT_WORDS) | frame["sentDate"].notna(),
            "delivered": status.isin(_REACHED_WORDS),
            "read": status == Status.READ.word,
            "failed": failed,
            "skewed": np.logical_or(*skewed),
            "contradictions": failed & reached,
            "segments": frame["segments"].to_numpy(dtype="float64", na_value=0).astype("int32"),
        },
        index=frame.index,
    )


def _tally(marks: pd.DataFrame, latencies: Mapping[str, Floats], key: Keys) -> Tally:
    counts = marks.groupby(key.codes).sum().astype("int64")
    counts.index = pd.Index(key.names, dtype=object)
    spans = {name: spans_of(latency, key.codes) for name, latency in latencies.items()}
    return Tally(counts=counts, spans=spans)


def _grid(delivered: pd.Series[Any], key: Keys, hours: Keys) -> pd.DataFrame:
    cells = pd.DataFrame({"row": key.codes, "column": hours.codes, "n": delivered.to_numpy()})
    grid = cells.groupby(["row", "column"])["n"].sum().unstack(fill_value=0).astype("int64")
    grid.index = pd.Index(key.names, dtype=object)
    return grid.set_axis(pd.Index(hours.names, dtype=object), axis=1)


def _sum(one: Tallies, other: Tallies) -> Tallies:
    by = {name: _sum_of_tallies(part, other.by[name]) for name, part in one.by.items()}
    grids = {name: _sum_by_label(part, other.grids[name]) for name, part in one.grids.items()}
    return Tallies(by=by, grids=grids, tests=one.tests + other.tests)


def _sum_of_tallies(one: Tally, other: Tally) -> Tally:
    counts = _sum_by_label(one.counts, other.counts)
    apart = one.counts.index.intersection(other.counts.index).empty  # as days of a range are
    spans = {}
    for name in one.spans:
        moved = [
            _regrouped(part.spans[name], part.counts.index, counts.index) for part in (one, other)
        ]
        both = pd.concat(moved, ignore_index=True)
        spans[name] = both if apart else both.groupby(["group", "ms"], as_index=False).sum()
    return Tally(counts=counts, spans=spans)


def _regrouped(spans: pd.DataFrame, old: pd.Index[Any], new: pd.Index[Any]) -> pd.DataFrame:
    """Number the groups by the places that their keys have in another index."""
    return spans.assign(group=new.get_indexer(old)[spans["group"]].astype("int32"))


def _sum_by_label(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Add two tables, cell by cell; what only one of them has counts as it is."""
    both = pd.concat([one, other]).fillna(0)
    return both.groupby(level=0).sum().astype("int64").sort_index(axis=1)
