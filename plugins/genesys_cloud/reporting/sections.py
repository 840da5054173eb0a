"""The parts that the report of a day and that of a range have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from genesys_cloud.reporting import charts, drawing, time_charts
from genesys_cloud.reporting.breakdowns import HOURS, NONE
from genesys_cloud.reporting.completeness import Day, unsent
from genesys_cloud.reporting.time_charts import Axis


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a report is about.

    `over_time` names the breakdown whose keys are the places of `axis`; `remarks` says of a time
    why it has no figures. `spans` holds each latency as tallies do, and `grid` what was delivered,
    a row for each of the `heat_rows` and a column for each hour. `states` counts recipients by
    campaign state, where that is known; else what the manifests say of them is shown.
    """

    metrics: Mapping[str, Any]
    days: Sequence[Day]
    axis: Axis
    over_time: str
    remarks: Mapping[str, str]
    spans: Mapping[str, pd.DataFrame]
    grid: pd.DataFrame
    heat_rows: str
    heat_left_out: int = 0
    states: Mapping[str, int]


def view(subject: Subject) -> dict[str, Any]:
    """Return what the templates of both reports show."""
    metrics = subject.metrics
    groups = metrics[subject.over_time]
    return {
        "metrics": metrics,
        "axis": subject.axis,
        "grid": subject.grid,
        "heat_rows": subject.heat_rows,
        "heat_left_out": subject.heat_left_out,
        "undated": metrics["byHour"].get(NONE, {}).get("delivered", 0),
        "time_rows": _time_rows(subject),
        "latency_rows": {"Send": metrics["latency"], "Delivery": metrics["deliveryLatency"]},
        "most_bars": charts.MOST_BARS,
        **_funnel(subject),
        **_latency_charts(subject),
        "rate_chart": time_charts.rate_chart(groups, subject.axis),
        "outcome_chart": time_charts.outcome_chart(groups, subject.axis),
        "heat_chart": time_charts.heat_chart(subject.grid),
        "reasons_chart": charts.reasons_chart(metrics["failureReasons"]),
        "success_chart": charts.success_chart(metrics["byCampaign"]),
    }


def heat_grid(grid: pd.DataFrame, rows: Sequence[str]) -> pd.DataFrame:
    """Return the rows that are named, with a column for each hour and 0 where nothing is known."""
    return grid.reindex(index=list(rows), columns=list(HOURS), fill_value=0)


def _time_rows(subject: Subject) -> list[dict[str, Any]]:
    groups = subject.metrics[subject.over_time]
    times = [time for time in subject.axis.times if time in groups or time in subject.remarks]
    times += [time for time in groups if time not in subject.axis.times]
    return [
        {"time": time, "group": groups.get(time), "remark": subject.remarks.get(time)}
        for time in times
    ]


def _latency_charts(subject: Subject) -> dict[str, Any]:
    metrics, groups = subject.metrics, subject.metrics[subject.over_time]
    drawn: dict[str, Any] = {}
    for short, name, title in (
        ("send", "latency", "Send latency"),
        ("delivery", "deliveryLatency", "Delivery latency"),
    ):
        drawn[f"{short}_chart"] = charts.latency_chart(
            name, title, subject.spans[name], metrics[name]
        )
        drawn[f"{short}_times_chart"] = time_charts.percentile_chart(
            groups, subject.axis, name, title
        )
    return drawn


def _funnel(subject: Subject) -> dict[str, Any]:
    """Return the funnel's steps, their counts and colours, and who is in none of them.

    Recipients come first where it is known how many there were.
    """
    counted, reasons = subject.metrics["funnel"], unsent(subject.days)
    without: Counter[str] = Counter()
    for (state, _), number in reasons.items():
        without[state] += number
    if subject.states:
        without = Counter({k: v for k, v in subject.states.items() if k != "accepted"})
    everybody = sum(subject.states.values()) or counted["accepted"] + without.total()
    steps = {
        **({"Recipients": (everybody, drawing.WAIT)} if without or subject.states else {}),
        "Accepted": (counted["accepted"], drawing.ACCENT),
        "Sent": (counted["sent"], drawing.ACCENT),
        "Delivered": (counted["delivered"], drawing.GOOD),
        "Read": (counted["read"], drawing.GOOD),
        "Failed": (counted["failed"], drawing.BAD),
        "Pending": (counted["pending"], drawing.WAIT),
    }
    return {
        "funnel_rows": steps,
        "funnel_chart": charts.funnel_chart(steps),
        "unsent": dict(sorted(without.items())),
        "unsent_reasons": [
            {"state": state, "reason": reason, "number": number}
            for (state, reason), number in sorted(
                reasons.items(), key=lambda one: (-one[1], one[0])
            )
        ],
    }
