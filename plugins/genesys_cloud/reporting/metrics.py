"""The figures of a day, from its rows alone: the same rows in any order give the same figures.

Words used throughout, all of them counts of messages:
accepted   every row: Genesys took the message and gave it an id
delivered  status `delivered` or `read`, for what was read has arrived
failed     status `failed`
final      delivered + failed; `totalSent` in metrics.json, as the tutorial's query counts it
pending    accepted - final: `pending`, `queued`, `sent`, and words that we do not know
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from genesys_cloud.outbound.status import REACHED, Status

NONE = "(none)"
"""The key of rows that have no value in the column of a breakdown."""

_Z_95 = 1.959963984540054
_QUANTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}
_REACHED_WORDS = {status.word for status in REACHED}
_SENT_WORDS = _REACHED_WORDS | {Status.SENT.word}

Row = Mapping[Any, float]
Metrics = dict[str, Any]


def day_metrics(frame: pd.DataFrame) -> Metrics:
    """Return what metrics.json holds: the totals, the breakdowns and the failure reasons."""
    marked = _marked(frame)
    everything = pd.Series("all", index=marked.index, dtype=object)
    total = _groups(marked, everything).get("all") or _entry({"accepted": 0})
    return {
        **total,
        "funnel": funnel(frame),
        "clockSkewed": int(marked["skewed"].sum()),
        "contradictions": contradictions(frame),
        "segments": int(frame["segments"].sum()),
        "failureReasons": failure_reasons(frame),
        "byStatus": _counts(frame["status"]),
        **{name: _groups(marked, key(frame)) for name, key in BREAKDOWNS.items()},
    }


def to_json(metrics: Metrics) -> str:
    """Return strictly valid JSON; a NaN among the figures is an error, not a word."""
    return json.dumps(metrics, indent=2, allow_nan=False) + "\n"


def rate(part: int, whole: int) -> str:
    """Return part / whole in percent with two decimals, halves rounded up; of nothing, 0.00%."""
    hundredths = (20_000 * part + whole) // (2 * whole) if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def wilson(part: int, whole: int) -> dict[str, float] | None:
    """Return the 95 % Wilson score interval of part / whole in percent, None where whole is 0.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    if not whole:
        return None
    share, z2 = part / whole, _Z_95**2
    centre = share + z2 / (2 * whole)
    margin = _Z_95 * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole**2))
    low, high = ((centre + side * margin) / (1 + z2 / whole) for side in (-1, 1))
    return {"low": round(100 * max(low, 0), 2), "high": round(100 * min(high, 1), 2)}


def funnel(frame: pd.DataFrame) -> dict[str, int]:
    """Count the messages that got at least so far; failed and pending beside them.

    `sent` counts a sent date as well as the statuses from `sent` on, so that a message that left
    and then failed is among them. `read` is a lower bound: not every channel reports it.
    """
    status = frame["status"]
    delivered, failed = status.isin(_REACHED_WORDS), status == Status.FAILED.word
    return {
        "accepted": len(frame),
        "sent": int((status.isin(_SENT_WORDS) | frame["sentDate"].notna()).sum()),
        "delivered": int(delivered.sum()),
        "read": int((status == Status.READ.word).sum()),
        "failed": int(failed.sum()),
        "pending": int((~delivered & ~failed).sum()),
    }


def contradictions(frame: pd.DataFrame) -> int:
    """Count the messages that failed although they have a delivered or a read date."""
    reached = frame["deliveredDate"].notna() | frame["readDate"].notna()
    return int((reached & (frame["status"] == Status.FAILED.word)).sum())


def failure_reasons(frame: pd.DataFrame) -> dict[str, int]:
    """Count the failed messages by error code, the most frequent first."""
    return _counts(frame.loc[frame["status"] == Status.FAILED.word, "errorCode"])


def by_day(frame: pd.DataFrame) -> pd.Series[Any]:
    """Key each row by the UTC date on which it was created."""
    days = frame["createdDate"].dt.floor("D")
    return _keyed(days, lambda day: f"{day:%Y-%m-%d}")


def by_hour(frame: pd.DataFrame) -> pd.Series[Any]:
    """Key each row by the UTC hour in which it was created, 00 to 23."""
    return _keyed(frame["createdDate"].dt.hour, lambda hour: f"{int(hour):02d}")


def _by_column(column: str) -> Callable[[pd.DataFrame], pd.Series[Any]]:
    return lambda frame: _keyed(frame[column], str)


BREAKDOWNS: Mapping[str, Callable[[pd.DataFrame], pd.Series[Any]]] = {
    "byDay": by_day,
    "byHour": by_hour,
    "byChannel": _by_column("channelType"),
    "byCampaign": _by_column("campaignId"),
    "byLanguage": _by_column("language"),
}
"""How each breakdown keys its rows; every row has exactly one key, so groups add up to the day."""


def _marked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the groups add up; a negative latency is skew and not averaged."""
    send, delivery = frame["latencyMs"].astype("float64"), frame["deliveryLatencyMs"]
    delivery = delivery.astype("float64")
    return pd.DataFrame(
        {
            "accepted": 1,
            "delivered": frame["status"].isin(_REACHED_WORDS).astype("int64"),
            "failed": (frame["status"] == Status.FAILED.word).astype("int64"),
            "skewed": ((send < 0) | (delivery < 0)).astype("int64"),
            "latency": send.where(send >= 0),
            "deliveryLatency": delivery.where(delivery >= 0),
        },
        index=frame.index,
    )


def _groups(marked: pd.DataFrame, key: pd.Series[Any]) -> dict[str, Metrics]:
    """Return the figures of each group, in the order of the keys."""
    if marked.empty:
        return {}
    grouped = marked.groupby(key, sort=True)
    rows = grouped[["accepted", "delivered", "failed"]].sum()
    for column in ("latency", "deliveryLatency"):
        values = grouped[column]
        rows[f"{column}.count"] = values.count()
        rows[f"{column}.mean"] = values.mean()
        rows[f"{column}.max"] = values.max()
        quantiles = values.quantile(np.array(list(_QUANTILES.values()))).unstack()
        for name, quantile in _QUANTILES.items():
            rows[f"{column}.{name}"] = quantiles[quantile]
    return {str(name): _entry(dict(row)) for name, row in rows.iterrows()}


def _entry(row: Row) -> Metrics:
    """Return one group's figures under their names in metrics.json."""
    accepted, delivered = int(row["accepted"]), int(row.get("delivered", 0))
    failed = int(row.get("failed", 0))
    final = delivered + failed
    latency = _latency(row, "latency")
    return {
        "accepted": accepted,
        "totalSent": final,
        "delivered": delivered,
        "failed": failed,
        "pending": accepted - final,
        "successRate": rate(delivered, final),
        "successInterval95": wilson(delivered, final),
        "deliveredOfAccepted": rate(delivered, accepted),
        "averageLatencyMs": latency["mean"],
        "latency": latency,
        "deliveryLatency": _latency(row, "deliveryLatency"),
    }


def _latency(row: Row, column: str) -> dict[str, float | None]:
    """Return a latency's figures in ms, null where no message has one.

    Percentiles interpolate linearly between the two nearest values.
    """
    figures = {name: row.get(f"{column}.{name}") for name in ("mean", *_QUANTILES, "max")}
    return {
        "count": int(row.get(f"{column}.count", 0)),
        **{name: _number(value) for name, value in figures.items()},
    }


def _number(value: float | None) -> float | None:
    """Round to microseconds; whole milliseconds are written without a fraction."""
    if value is None or math.isnan(value):
        return None
    rounded = round(float(value), 3)
    return int(rounded) if rounded.is_integer() else rounded


def _keyed(values: pd.Series[Any], label: Callable[[Any], str]) -> pd.Series[Any]:
    """Label every value; a missing one is NONE, so that no row falls out of a breakdown."""
    labels = {value: label(value) for value in values.dropna().unique()}
    keys = values.astype(object).map(labels).astype(object)
    return keys.where(keys.notna(), NONE)


def _counts(values: pd.Series[Any]) -> dict[str, int]:
    """Count the values, the most frequent first and equals by name."""
    counts = _keyed(values, str).value_counts().to_dict()
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return {str(value): int(count) for value, count in ordered}
