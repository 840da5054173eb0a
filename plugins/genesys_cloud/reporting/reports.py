"""The reports of a day: each is one function that gives one self-contained HTML file.

To add a report, write a function from Source to text here and name its file with @report; every
partition holds it from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genesys_cloud.reporting import wording
from genesys_cloud.reporting.breakdowns import HOURS
from genesys_cloud.reporting.charts import MOST_BARS
from genesys_cloud.reporting.completeness import day_of, verdict
from genesys_cloud.reporting.manifest import Manifest
from genesys_cloud.reporting.pages import page
from genesys_cloud.reporting.sections import Subject, heat_grid, view
from genesys_cloud.reporting.tallies import TOTAL, Tallies
from genesys_cloud.reporting.time_charts import Axis


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a report may draw on; `states` counts a day's recipients by campaign state."""

    tallies: Tallies = field(repr=False)
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
    day, grid = day_of(source.manifest.as_dict()), source.tallies.grids["byCampaign"]
    campaigns = list(grid.sum(axis=1).sort_values(ascending=False, kind="stable").index)
    subject = Subject(
        metrics=source.metrics,
        days=[day],
        axis=Axis(times=HOURS, names=HOURS, label="UTC hour of creation"),
        over_time="byHour",
        remarks={},
        spans=source.tallies.by[TOTAL].spans,
        grid=heat_grid(grid, campaigns[:MOST_BARS]),
        heat_rows="campaign",
        heat_left_out=len(campaigns[MOST_BARS:]),
        states=source.states,
    )
    return page(
        "delivery.html.j2",
        title=day.day.isoformat(),
        subtitle=wording.long_date(day.day),
        verdict=verdict([day], wording.rows(day.rows)),
        day=day,
        view=view(subject),
    )
