"""The reports of a day: each is one function that gives one self-contained HTML file.

To add a report, write a function from Source to text here and name its file with @report; every
partition holds it from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from genesys_cloud.reporting import charts, drawing, wording
from genesys_cloud.reporting.manifest import Manifest
from genesys_cloud.reporting.metrics import NONE

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a report may draw on; `states` counts a day's recipients by campaign state."""

    frame: pd.DataFrame = field(repr=False)
    metrics: Mapping[str, Any]
    manifest: Manifest
    states: Mapping[str, int]


Report = Callable[[Source], str]

REPORTS: dict[str, Report] = {}
"""File name to report, filled by @report."""


def report(file_name: str) -> Callable[[Report], Report]:
    """Register a report under the file that holds it."""

    def register(function: Report) -> Report:
        if file_name in REPORTS:
            raise ValueError(f"two reports write {file_name}")
        REPORTS[file_name] = function
        return function

    return register


@report("report.html")
def delivery(source: Source) -> str:
    """Show how far the day's messages got, how fast, what failed, and how complete that is."""
    metrics = source.metrics
    return _page(
        "delivery.html.j2",
        day=source.manifest.day,
        manifest=source.manifest,
        metrics=metrics,
        funnel_rows=_funnel_rows(source),
        unsent={name: number for name, number in source.states.items() if name != "accepted"},
        latency_rows={"Send": metrics["latency"], "Delivery": metrics["deliveryLatency"]},
        funnel_chart=charts.funnel_chart(_funnel_rows(source)),
        send_chart=_latency_chart(source, "latency", "latencyMs", "Send latency"),
        delivery_chart=_latency_chart(
            source, "deliveryLatency", "deliveryLatencyMs", "Delivery latency"
        ),
        success_chart=charts.success_chart(metrics["byCampaign"]),
        hours_chart=charts.hours_chart(
            {hour: group for hour, group in metrics["byHour"].items() if hour != NONE}
        ),
        most_bars=charts.MOST_BARS,
    )


def _funnel_rows(source: Source) -> dict[str, tuple[int, str]]:
    """Return the funnel's steps, their counts and their colours, the recipients first if known."""
    funnel = source.metrics["funnel"]
    recipients = {"Recipients": (sum(source.states.values()), drawing.WAIT)}
    steps = {
        "Accepted": (funnel["accepted"], drawing.ACCENT),
        "Sent": (funnel["sent"], drawing.ACCENT),
        "Delivered": (funnel["delivered"], drawing.GOOD),
        "Read": (funnel["read"], drawing.GOOD),
        "Failed": (funnel["failed"], drawing.BAD),
        "Pending": (funnel["pending"], drawing.WAIT),
    }
    return {**recipients, **steps} if source.states else steps


def _latency_chart(source: Source, name: str, column: str, title: str) -> str | None:
    values = source.frame[column].dropna()
    return charts.latency_chart(name, title, values[values >= 0].tolist(), source.metrics[name])


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    """Return the environment; everything is escaped, for names in the data are hostile."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for word in (
        wording.count,
        wording.duration,
        wording.share,
        wording.interval,
        wording.instant,
        wording.long_date,
    ):
        environment.filters[word.__name__] = word
    return environment
