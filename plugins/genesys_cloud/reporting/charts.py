"""The report's charts, each with what it shows in words for whoever can't see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from genesys_cloud.reporting.drawing import (
    ACCENT,
    BAD,
    GOOD,
    INK,
    LETTER,
    MARK,
    MUTED,
    canvas,
    category_axis,
    number,
    time_unit,
    to_svg,
    value_axis,
)
from genesys_cloud.reporting.wording import duration

MOST_BARS = 12
"""Campaigns or reasons in a chart; the table beside it has them all."""

_BESIDE: dict[str, Any] = {
    "textcoords": "offset points",
    "va": "center",
    "color": INK,
    "fontsize": LETTER,
}


def funnel_chart(steps: Mapping[str, tuple[int, str]]) -> Markup | None:
    """Draw one bar a step: its count, and a stand-in colour."""
    if not any(value for value, _ in steps.values()):
        return None
    figure, axes = canvas(height=8 + 30 * len(steps), left=82, bottom=4, top=4)
    values = [value for value, _ in steps.values()]
    places = range(len(steps))
    axes.barh(places, values, color=[colour for _, colour in steps.values()], height=0.66)
    axes.set_xlim(0, max(values) * 1.22)
    category_axis(axes, list(steps))
    for place, value in zip(places, values, strict=True):
        axes.annotate(number(value), (value, place), xytext=(5, 0), **_BESIDE)
    axes.xaxis.set_visible(False)
    told = ", ".join(f"{name} {value}" for name, (value, _) in steps.items())
    return to_svg(figure, "funnel", "How far messages got", told)


def latency_chart(
    name: str, title: str, spans: pd.DataFrame, figures: Mapping[str, Any]
) -> Markup | None:
    """Draw a histogram of how many messages took how many ms, with three percentiles marked.

    The axis ends a little beyond p99; what is above is counted in the last bar.
    """
    if spans.empty:
        return None
    unit, scale = time_unit(figures["p99"])
    limit = max(min(figures["max"], 1.3 * figures["p99"]), 1.0) / scale
    figure, axes = canvas(height=232, left=44, bottom=40, top=50)
    axes.hist(
        np.minimum(spans["ms"].to_numpy(dtype="float64") / scale, limit),
        weights=spans["messages"].to_numpy(),
        bins=np.linspace(0, limit, 41),
        color=ACCENT,
        rwidth=0.88,
    )
    axes.set_xlim(0, limit)
    axes.set_xlabel(f"{title}, {unit}", color=MUTED, fontsize=LETTER)
    value_axis(axes)
    for row, key in enumerate(("p50", "p95", "p99")):
        _mark(axes, figures[key] / scale, f"{key} {duration(figures[key])}", row, limit)
    told = ", ".join(f"{key} {duration(figures[key])}" for key in ("p50", "p95", "p99", "max"))
    return to_svg(figure, name, f"{title} of {figures['count']} messages", told)


def success_chart(groups: Mapping[str, Mapping[str, Any]]) -> Markup | None:
    """Draw the success rate of the largest groups as bars, with their 95 % intervals."""
    final = {name: group for name, group in groups.items() if group["totalSent"]}
    largest = sorted(final, key=lambda name: -final[name]["totalSent"])[:MOST_BARS]
    if not largest:
        return None
    figure, axes = canvas(height=34 + 32 * len(largest), left=146, bottom=28, top=6)
    rates = [100 * final[name]["delivered"] / final[name]["totalSent"] for name in largest]
    axes.barh(range(len(largest)), rates, color=GOOD, height=0.6)
    for place, name in enumerate(largest):
        bounds = final[name]["successInterval95"]
        axes.hlines(place, bounds["low"], bounds["high"], colors=MARK, linewidth=2)
        axes.vlines([bounds["low"], bounds["high"]], place - 0.14, place + 0.14, colors=MARK)
        axes.annotate(final[name]["successRate"], (100, place), xytext=(8, 0), **_BESIDE)
    axes.set_xlim(0, 128)
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100%"])
    category_axis(axes, [f"label-{place}-" for place in range(len(largest))])
    axes.tick_params(axis="x", colors=MUTED, length=0, labelsize=LETTER)
    told = ", ".join(f"{name} {final[name]['successRate']}" for name in largest)
    return to_svg(figure, "success", "Success rate by campaign", told, labels=largest)


def reasons_chart(reasons: Mapping[str, int]) -> Markup | None:
    """Draw the most frequent reasons of failure as bars; the first in the mapping come first."""
    largest = list(reasons)[:MOST_BARS]
    if not largest:
        return None
    figure, axes = canvas(height=10 + 28 * len(largest), left=146, bottom=4, top=6)
    values = [reasons[name] for name in largest]
    axes.barh(range(len(largest)), values, color=BAD, height=0.6)
    axes.set_xlim(0, max(values) * 1.25)
    category_axis(axes, [f"label-{place}-" for place in range(len(largest))])
    for place, value in enumerate(values):
        axes.annotate(number(value), (value, place), xytext=(5, 0), **_BESIDE)
    axes.xaxis.set_visible(False)
    told = ", ".join(f"{name} {reasons[name]}" for name in largest)
    return to_svg(figure, "reasons", "Why messages failed", told, labels=largest)


def _mark(axes: Any, value: float, text: str, row: int, limit: float) -> None:
    """Draw a percentile as a line with its name above, one row each so that none overlap."""
    height = 1.22 - 0.085 * row
    axes.axvline(value, ymax=height - 0.04, color=MARK, linewidth=1, clip_on=False)
    left = value < 0.82 * limit
    axes.annotate(
        text,
        (value, height - 0.075),
        xycoords=("data", "axes fraction"),
        xytext=(4 if left else -4, 0),
        textcoords="offset points",
        ha="left" if left else "right",
        color=INK,
        fontsize=LETTER,
    )
