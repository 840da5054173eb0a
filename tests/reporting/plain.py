"""The figures of delivery rows in plain Python: exact fractions, no data frame, no shared code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from fractions import Fraction
from statistics import NormalDist
from typing import Any

from genesys_cloud.outbound.deliveries import Delivery

MILLISECOND = timedelta(milliseconds=1)
Z = NormalDist().inv_cdf(0.975)


def figures(rows: Sequence[Delivery], group: Callable[[Delivery], str] | None = None) -> Any:
    """Return a group's figures, or those of each group."""
    if group is None:
        return entry(rows)
    keys = sorted({group(row) for row in rows})
    return {key: entry([row for row in rows if group(row) == key]) for key in keys}


def entry(rows: Sequence[Delivery]) -> dict[str, Any]:
    """Count, divide and sort, as the data dictionary says."""
    delivered = sum(row.status in {"delivered", "read"} for row in rows)
    failed = sum(row.status == "failed" for row in rows)
    final = delivered + failed
    send = latency([since_created(row, row.sent_at) for row in rows])
    return {
        "accepted": len(rows),
        "totalSent": final,
        "delivered": delivered,
        "failed": failed,
        "pending": len(rows) - final,
        "successRate": percent(delivered, final),
        "successInterval95": interval(delivered, final),
        "deliveredOfFinal": percent(delivered, final),
        "deliveredOfFinalInterval95": interval(delivered, final),
        "deliveredOfAccepted": percent(delivered, len(rows)),
        "deliveredOfAcceptedInterval95": interval(delivered, len(rows)),
        "averageLatencyMs": send["mean"],
        "latency": send,
        "deliveryLatency": latency([since_created(row, row.delivered_at) for row in rows]),
    }


def day(row: Delivery) -> str:
    """The UTC date of creation."""
    return row.created_at.astimezone(UTC).date().isoformat() if row.created_at else "(none)"


def hour(row: Delivery) -> str:
    """The UTC hour of creation."""
    return f"{row.created_at.astimezone(UTC).hour:02d}" if row.created_at else "(none)"


def campaign(row: Delivery) -> str:
    """The campaign."""
    return "(none)" if row.campaign_id is None else row.campaign_id


def skewed(rows: Sequence[Delivery]) -> int:
    """Count the rows of which a latency is negative."""
    return sum(
        any((since_created(row, to) or 0) < 0 for to in (row.sent_at, row.delivered_at))
        for row in rows
    )


def reasons(rows: Sequence[Delivery]) -> dict[str, int]:
    """Count the failed ones by error code."""
    return dict(Counter(row.error_code or "(none)" for row in rows if row.status == "failed"))


def since_created(row: Delivery, moment: Any) -> int | None:
    """Return whole milliseconds from the creation to a moment."""
    return (moment - row.created_at) // MILLISECOND if moment and row.created_at else None


def latency(values: Sequence[int | None]) -> dict[str, Any]:
    """Sort, and interpolate between the two neighbours of the place share * (count - 1)."""
    kept = sorted(value for value in values if value is not None and value >= 0)
    if not kept:
        return {"count": 0, **dict.fromkeys(("mean", "p50", "p90", "p95", "p99", "max"))}
    shares = {name: Fraction(int(name[1:]), 100) for name in ("p50", "p90", "p95", "p99")}
    return {
        "count": len(kept),
        "mean": rounded(Fraction(sum(kept), len(kept))),
        **{name: rounded(at(kept, share * (len(kept) - 1))) for name, share in shares.items()},
        "max": kept[-1],
    }


def at(values: Sequence[int], place: Fraction) -> Fraction:
    """Return the value at a place that may lie between two."""
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def rounded(value: Fraction) -> float:
    """Round to a thousandth of a millisecond."""
    return round(float(value), 3)


def percent(part: int, whole: int) -> str:
    """Return two decimals, halves rounded up."""
    hundredths = Fraction(10_000 * part, whole) if whole else Fraction(0)
    return f"{int(hundredths + Fraction(1, 2)) / 100:.2f}%"


def interval(part: int, whole: int) -> Any:
    """Return the roots of (p - part / whole)^2 = z^2 p (1 - p) / whole, in percent."""
    if not whole:
        return None
    share, spread = part / whole, Z**2 / whole
    a, b, c = 1 + spread, -(2 * share + spread), share**2
    root = max(b**2 - 4 * a * c, 0) ** 0.5
    low, high = (-b - root) / (2 * a), (-b + root) / (2 * a)
    return {"low": round(100 * max(low, 0), 2), "high": round(100 * min(high, 1), 2)}
