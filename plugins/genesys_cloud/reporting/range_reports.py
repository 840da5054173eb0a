"""The report of any range of days, as HTML and as JSON."""

from __future__ import annotations

from typing import Any

import pandas as pd

from genesys_cloud.reporting import wording
from genesys_cloud.reporting.completeness import Day, total_of, verdict
from genesys_cloud.reporting.metrics import figures
from genesys_cloud.reporting.pages import page
from genesys_cloud.reporting.ranges import Range
from genesys_cloud.reporting.sections import Subject, heat_grid, view
from genesys_cloud.reporting.tallies import TOTAL
from genesys_cloud.reporting.time_charts import Axis

MOST_DAYS = 31
"""Rows of a heat map that can be told apart; of more days the weekdays are shown."""

_WEEKDAYS = (*("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),)
_ADDED = (
    *("rows", "api_total", "missing", "duplicates", "outside", "in_api_not_in_ledger"),
    "test_messages",
    *("in_ledger_not_in_api", "status_differs", "moved_forward"),
)
"""What the days' manifests count, and the box of the range adds up."""


def over_range(found: Range) -> str:
    """Show the same of many days, and which of them are missing."""
    metrics, days = figures(found.tallies), found.days
    rows, grid = _heat(found)
    subject = Subject(
        metrics=metrics,
        days=days,
        axis=Axis(
            times=[day.day.isoformat() for day in days],
            names=[f"{day.day:%m-%d}" for day in days],
            label="UTC day of creation",
        ),
        over_time="byDay",
        remarks={day.day.isoformat(): _remark(day) for day in days},
        spans=found.tallies.by[TOTAL].spans,
        grid=grid,
        heat_rows=rows,
        states={},
    )
    return page(
        "range.html.j2",
        title=f"{found.first} to {found.last}",
        subtitle=f"{wording.long_date(found.first)} to {wording.long_date(found.last)}",
        verdict=verdict(days, wording.rows(found.tallies.rows)),
        days=days,
        missing=found.missing,
        total={name: total_of(days, name) for name in _ADDED},
        view=view(subject),
    )


def range_json(found: Range) -> dict[str, Any]:
    """Return the figures of many days, with the state of each, as JSON takes them."""
    return {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "missingDays": [day.isoformat() for day in found.missing],
        "days": {
            day.day.isoformat(): {"state": day.state, "rows": day.rows, "revision": day.revision}
            for day in found.days
        },
        "metrics": figures(found.tallies),
    }


def in_words(found: Range) -> str:
    """Return what a terminal shows: how many rows, how complete, which days are missing."""
    metrics = figures(found.tallies)
    said = verdict(found.days, wording.rows(found.tallies.rows)).words
    absent = [f"No partition: {', '.join(map(str, found.missing))}"] if found.missing else []
    line = f"{found.first} to {found.last}, {metrics['accepted']:,} messages. {said}"
    tests = metrics["testMessages"]
    left_out = [f"Test messages, in no figure: {tests:,}"] if tests else []
    return "\n".join([line, f"Success rate {metrics['successRate']}", *left_out, *absent])


def _heat(found: Range) -> tuple[str, pd.DataFrame]:
    """Return a row for each day, or for each weekday where there are too many days."""
    names = {day.day.isoformat(): _row_of(day) for day in found.days}
    grid = heat_grid(found.tallies.grids["byDay"], list(names))
    if len(names) <= MOST_DAYS:
        return "day", grid.rename(index=names)
    weekdays = [day.day.weekday() for day in found.days]
    summed = grid.groupby(weekdays).sum().reindex(range(7), fill_value=0)
    return "weekday", summed.set_axis(list(_WEEKDAYS), axis=0)


def _row_of(day: Day) -> str:
    name = f"{_WEEKDAYS[day.day.weekday()][:3]} {day.day:%m-%d}"
    return name if day.found else f"{name} missing"


def _remark(day: Day) -> str:
    return "no messages" if day.found else "no partition: not in any figure"
