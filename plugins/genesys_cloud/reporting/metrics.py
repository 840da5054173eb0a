"""The figures of delivery data, from its rows alone: the same rows in any order give the same.

Words used throughout, all of them counts of messages, none of which was sent as a test:
accepted   every row: Genesys took the message and gave it an id
delivered  status `delivered` or `read`, for what was read has arrived
failed     status `failed`
final      delivered + failed; `totalSent` in metrics.json, as the tutorial's query counts it
pending    accepted - final: `pending`, `queued`, `sent`, and words that we do not know
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from genesys_cloud.reporting.breakdowns import BREAKDOWNS
from genesys_cloud.reporting.latencies import NOTHING, latency_figures
from genesys_cloud.reporting.rates import rate, wilson
from genesys_cloud.reporting.tallies import LATENCIES, TOTAL, Tallies, Tally, tally

Metrics = dict[str, Any]


def day_metrics(frame: pd.DataFrame) -> Metrics:
    """Return what metrics.json holds: the totals, the breakdowns and the failure reasons."""
    return figures(tally(frame))


def figures(tallies: Tallies) -> Metrics:
    """Return every figure of what was tallied, in the order and by the names of metrics.json."""
    counts = totals(tallies)
    return {
        **(
            _groups(tallies.by[TOTAL]).get("all")
            or _entry(counts, dict.fromkeys(LATENCIES, NOTHING))
        ),
        "funnel": funnel(counts),
        "clockSkewed": counts["skewed"],
        "contradictions": counts["contradictions"],
        "segments": counts["segments"],
        "testMessages": tallies.tests,
        "failureReasons": _most_frequent(tallies.by["failureReasons"].counts["failed"]),
        "byStatus": _most_frequent(tallies.by["byStatus"].counts["accepted"]),
        **{name: _groups(tallies.by[name]) for name in BREAKDOWNS},
    }


def to_json(metrics: Mapping[str, Any]) -> str:
    """Return strictly valid JSON; a NaN among the figures is an error, not a word."""
    return json.dumps(metrics, indent=2, allow_nan=False) + "\n"


def totals(tallies: Tallies) -> dict[str, int]:
    """Return the counts over all rows.

    clockSkewed     messages of which a latency is negative
    contradictions  messages that failed although they have a delivered or a read date
    segments        sum of the billed parts
    """
    return {str(name): int(count) for name, count in tallies.by[TOTAL].counts.sum().items()}


def funnel(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the messages that got at least so far; failed and pending beside them.

    `sent` counts a sent date as well as the statuses from `sent` on, so that a message that left
    and then failed is among them. `read` is a lower bound: not every channel reports it.
    """
    steps = {name: counts[name] for name in ("accepted", "sent", "delivered", "read", "failed")}
    return {**steps, "pending": counts["accepted"] - counts["delivered"] - counts["failed"]}


def success(delivered: int, failed: int, accepted: int) -> Metrics:
    """Return the rates in percent, each with its 95 % Wilson interval.

    successRate          delivered / totalSent, as the tutorial defines it
    deliveredOfFinal     delivered / final; the same number, for what was read counts as delivered
    deliveredOfAccepted  delivered / accepted, so that what is pending counts against it
    """
    final = delivered + failed
    return {
        "successRate": rate(delivered, final),
        "successInterval95": wilson(delivered, final),
        "deliveredOfFinal": rate(delivered, final),
        "deliveredOfFinalInterval95": wilson(delivered, final),
        "deliveredOfAccepted": rate(delivered, accepted),
        "deliveredOfAcceptedInterval95": wilson(delivered, accepted),
    }


def _groups(breakdown: Tally) -> dict[str, Metrics]:
    """Return the figures of each group, in the order of the keys."""
    spans = {name: dict(iter(table.groupby("group"))) for name, table in breakdown.spans.items()}
    groups = {}
    rows = breakdown.counts.to_dict("index")
    for place, (key, row) in enumerate(rows.items()):
        latencies = {
            name: latency_figures(tables[place]) if place in tables else dict(NOTHING)
            for name, tables in spans.items()
        }
        groups[str(key)] = _entry(row, latencies)
    return groups


def _entry(counts: Mapping[Any, int], latencies: Mapping[str, Mapping[str, Any]]) -> Metrics:
    """Return one group's figures under their names in metrics.json."""
    accepted, delivered, failed = (
        int(counts[name]) for name in ("accepted", "delivered", "failed")
    )
    return {
        "accepted": accepted,
        "totalSent": delivered + failed,
        "delivered": delivered,
        "failed": failed,
        "pending": accepted - delivered - failed,
        **success(delivered, failed, accepted),
        "averageLatencyMs": latencies["latency"]["mean"],
        **latencies,
    }


def _most_frequent(counts: pd.Series[Any]) -> dict[str, int]:
    """Return the counts that are not 0, the most frequent first and equals by name."""
    found = {str(name): int(count) for name, count in counts.items() if count}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
