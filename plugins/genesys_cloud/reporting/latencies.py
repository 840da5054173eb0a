"""A latency's figures, from how often each whole millisecond occurs."""

from __future__ import annotations

import numpy as np
import pandas as pd

PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}

Figures = dict[str, float | None]

NOTHING: Figures = {"count": 0, **dict.fromkeys(("mean", *PERCENTILES, "max"))}
"""What is known of a latency that no message has."""


def latency_figures(spans: pd.DataFrame) -> Figures:
    """Return the figures in ms of one group's spans, null where no message has such a latency.

    count      messages that have this latency, and it is not negative
    mean       sum of their latencies / count
    p50 - p99  the latency below which that share of the messages is; between two neighbours it is
               interpolated linearly, at the place share * (count - 1) in ascending order
    max        the longest
    """
    if spans.empty:
        return dict(NOTHING)
    ms, ends = spans["ms"].to_numpy(), spans["messages"].to_numpy().cumsum()
    count = int(ends[-1])
    # In Python's own integers, which do not overflow: years times a million messages might.
    total = sum(a * b for a, b in zip(ms.tolist(), spans["messages"].tolist(), strict=True))
    quantiles = {name: _percentile(ms, ends, percent) for name, percent in PERCENTILES.items()}
    return {
        "count": count,
        "mean": _rounded(total / count),
        **quantiles,
        "max": int(ms[-1]),
    }


def _percentile(ms: np.ndarray, ends: np.ndarray, percent: int) -> float:
    """Return a percentile; whole numbers up to the last step, so that nothing is rounded twice."""
    last = int(ends[-1]) - 1
    below, rest = divmod(percent * last, 100)
    places = np.searchsorted(ends, [below, min(below + 1, last)], side="right")
    low, high = (int(ms[place]) for place in places)
    return _rounded((low * (100 - rest) + high * rest) / 100)


def _rounded(value: float) -> float:
    """Round to microseconds; whole milliseconds are written without a fraction."""
    rounded = round(value, 3)
    return int(rounded) if float(rounded).is_integer() else rounded
