"""The report's charts over time: along the hours of a day, or the days of a range.

`times` name the places of the axis in their order; one that is not among the groups stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgba
from matplotlib.patches import Patch

from genesys_cloud.reporting.drawing import (
    ACCENT,
    BAD,
    CARD,
    GOOD,
    GRID,
    INK,
    LETTER,
    MUTED,
    WAIT,
    canvas,
    legend,
    number,
    time_axis,
    time_unit,
    to_svg,
    value_axis,
)
from genesys_cloud.reporting.wording import duration

_MOST_WHISKERS = 45
"""Intervals that can be told apart as single lines; more become a band."""

_DEPTHS = (0.07, 0.3, 0.5, 0.72, 1.0)
"""How deep the colour of a heat map is: for nothing, and for each quarter of the largest."""

_LINES = {"p50": (GOOD, "-"), "p95": (ACCENT, "--"), "p99": (BAD, ":")}


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A time axis: its places, what is written at them, and what they are."""

    times: Sequence[str]
    names: Sequence[str]
    label: str


def outcome_chart(groups: Mapping[str, Mapping[str, Any]], axis: Axis) -> Markup | None:
    """Draw the messages of each time, delivered, failed and pending one on the other."""
    present = [time for time in axis.times if time in groups]
    if not present:
        return None
    figure, axes = canvas(height=232, left=44, bottom=40, top=28)
    bottom = np.zeros(len(axis.times))
    for name, colour in (("delivered", GOOD), ("failed", BAD), ("pending", WAIT)):
        heights = np.array([groups.get(time, {}).get(name, 0) for time in axis.times], dtype=float)
        axes.bar(range(len(bottom)), heights, bottom=bottom, color=colour, width=0.8, label=name)
        bottom += heights
    time_axis(axes, axis.names, axis.label)
    value_axis(axes)
    legend(axes, 3, handlelength=0.9)
    told = ", ".join(f"{time} {groups[time]['accepted']}" for time in present)
    return to_svg(figure, "outcomes", "Messages by time of creation", told)


def rate_chart(groups: Mapping[str, Mapping[str, Any]], axis: Axis) -> Markup | None:
    """Draw the success rate of each time with its 95 % interval."""
    rated = {time: groups[time] for time in axis.times if groups.get(time, {}).get("totalSent")}
    if not rated:
        return None
    figure, axes = canvas(height=232, left=44, bottom=40, top=14)
    rates = _along(axis, {key: 100 * g["delivered"] / g["totalSent"] for key, g in rated.items()})
    low = _along(axis, {key: group["successInterval95"]["low"] for key, group in rated.items()})
    high = _along(axis, {key: group["successInterval95"]["high"] for key, group in rated.items()})
    places = np.arange(len(rates))
    if len(rated) <= _MOST_WHISKERS:
        axes.vlines(places, low, high, colors=MUTED, linewidth=1.6)
    else:
        axes.fill_between(places, low, high, color=GOOD, alpha=0.25, linewidth=0)
    axes.plot(places, rates, color=GOOD, linewidth=1.6, marker="o", markersize=_dot(len(rated)))
    time_axis(axes, axis.names, axis.label)
    value_axis(axes)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}%")
    axes.set_ylim(max(np.nanmin(low) - 1, -1), min(np.nanmax(high) + 1, 101))
    told = ", ".join(f"{time} {group['successRate']}" for time, group in rated.items())
    return to_svg(figure, "rates", "Success rate over time", told)


def percentile_chart(
    groups: Mapping[str, Mapping[str, Any]], axis: Axis, latency: str, title: str
) -> Markup | None:
    """Draw p50, p95 and p99 of a latency at each time."""
    timed = {
        time: groups[time]
        for time in axis.times
        if groups.get(time, {}).get(latency, {}).get("count")
    }
    if not timed:
        return None
    unit, scale = time_unit(max(group[latency]["p99"] for group in timed.values()))
    figure, axes = canvas(height=232, left=44, bottom=40, top=28)
    for key, (colour, dashes) in _LINES.items():
        values = _along(axis, {time: group[latency][key] for time, group in timed.items()})
        style = {"color": colour, "linestyle": dashes, "linewidth": 1.8, "label": key}
        axes.plot(values / scale, marker="o", markersize=_dot(len(timed)), **style)
    axes.set_ylim(bottom=0)
    time_axis(axes, axis.names, f"{axis.label}; {title.lower()}, {unit}")
    value_axis(axes)
    axes.yaxis.get_major_locator().set_params(integer=False)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}")
    legend(axes, 3, handlelength=2.4)
    told = "; ".join(
        f"{time} p50 {duration(group[latency]['p50'])}, p99 {duration(group[latency]['p99'])}"
        for time, group in timed.items()
    )
    return to_svg(figure, f"{latency}-times", f"{title} over time", told)


def heat_chart(grid: pd.DataFrame) -> Markup | None:
    """Draw a cell for each row and hour, the deeper the more was delivered."""
    most = int(grid.to_numpy().max(initial=0))
    if not most:
        return None
    ends = [0, *(-(-most * quarter // 4) for quarter in (1, 2, 3, 4))]
    ends = sorted(set(ends))
    shades = [to_rgba(ACCENT, depth) for depth in _DEPTHS[: len(ends)]]
    labels = [str(name) for name in grid.index]
    left = min(24 + 6 * max(map(len, labels)), 150)
    figure, axes = canvas(height=66 + 16 * len(grid), left=left, bottom=38, top=28)
    axes.pcolormesh(
        grid.to_numpy(),
        cmap=ListedColormap(shades),
        norm=BoundaryNorm([-0.5, *(end + 0.5 for end in ends)], len(shades)),
        edgecolors=CARD,
        linewidth=1.2,
    )
    axes.set_yticks(np.arange(len(grid)) + 0.5, [f"label-{n}-" for n in range(len(grid))])
    axes.invert_yaxis()
    axes.set_xticks(np.arange(0, 24, 3) + 0.5, list(grid.columns[::3]))
    axes.set_xlabel("hour of creation, UTC", color=MUTED, fontsize=LETTER)
    axes.tick_params(axis="x", length=0, colors=MUTED, labelsize=LETTER, pad=4)
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=LETTER, pad=6)
    patches = [Patch(facecolor=shade, edgecolor=GRID) for shade in shades]
    words = ["0", *(f"to {number(end)}" for end in ends[1:])]
    whole = {"loc": "upper left", "bbox_to_anchor": (0, 1), "bbox_transform": figure.transFigure}
    legend(axes, 5, handles=patches, labels=words, handlelength=0.9, **whole)
    return to_svg(figure, "heat", "Delivered by hour", _busiest(grid, labels), labels=labels)


def _busiest(grid: pd.DataFrame, labels: Sequence[str]) -> str:
    """Name the five fullest cells; the table beside the chart has them all."""
    flat = grid.to_numpy().ravel()
    places = np.argsort(-flat, kind="stable")[:5]
    hours = len(grid.columns)
    cells = [
        f"{labels[place // hours]} {grid.columns[place % hours]} h {int(flat[place])}"
        for place in places
        if flat[place]
    ]
    return f"Most were delivered at {', '.join(cells)}"


def _along(axis: Axis, values: Mapping[str, float]) -> np.ndarray:
    """Return a value for each place of an axis, NaN where there is none: a gap in the line."""
    return np.array([values.get(time, np.nan) for time in axis.times], dtype="float64")


def _dot(number_of_points: int) -> float:
    return 4.0 if number_of_points <= _MOST_WHISKERS else 2.0
