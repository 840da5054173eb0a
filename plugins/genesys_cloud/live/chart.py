"""The chart of what was sent a minute, as rectangles that a template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from genesys_cloud.ledger.campaign_page import Bucket

WIDTH, HEIGHT = 960, 190
"""Of the drawing, in its own units; a page scales it."""

_LEFT, _BOTTOM, _TOP = 52, 22, 10
_BASE = HEIGHT - _BOTTOM
_WIDEST = 64


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One rectangle: a bucket's messages of one `kind`; `title` says it in words."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A label at a place of an axis."""

    at: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The drawing; `summary` is what it shows, for who can't see it."""

    bars: Sequence[Bar]
    heights: Sequence[Mark]
    times: Sequence[Mark]
    summary: str
    left: int = _LEFT
    base: int = _BASE
    width: int = WIDTH
    height: int = HEIGHT


def draw(buckets: Sequence[Bucket]) -> Chart | None:
    """Return the chart of some buckets, all of one width; None where there are none."""
    if not buckets:
        return None
    highest = max(map(_rate, buckets))
    top = _round_up(highest)
    start, end = buckets[0].start, buckets[-1].start + buckets[-1].width
    step = (WIDTH - _LEFT) / len(buckets)
    # A send of two minutes is two bars, and not two halves of the page.
    width = min(max(step - 1, 0.5), _WIDEST)
    places = [_LEFT + step * place + (step - width) / 2 for place in range(len(buckets))]
    bars = [
        bar
        for bucket, x in zip(buckets, places, strict=True)
        for bar in _bars(bucket, x, width, top)
    ]
    format_ = "%H:%M" if end - start <= timedelta(days=1) else "%m-%d %H:%M"
    times = [
        Mark(at=round(places[place], 2), label=f"{buckets[place].start.astimezone(UTC):{format_}}")
        for place in range(0, len(buckets), -(-len(buckets) // 4))
    ]
    heights = [
        Mark(at=_BASE - (_BASE - _TOP) * part / 2, label=_spoken(top * part / 2))
        for part in range(3)
    ]
    summary = (
        f"Attempts settled a minute, from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; "
        f"the most were {highest:,.0f}."
    )
    return Chart(bars=bars, heights=heights, times=times, summary=summary)


def _rate(bucket: Bucket) -> float:
    settled = bucket.accepted + bucket.rejected + bucket.unknown
    return settled / (bucket.width / timedelta(minutes=1))


def _bars(bucket: Bucket, x: float, width: float, top: float) -> list[Bar]:
    """Return a bucket's rectangles, one upon the other."""
    minutes = bucket.width / timedelta(minutes=1)
    bars: list[Bar] = []
    foot = float(_BASE)
    for kind in ("accepted", "rejected", "unknown"):
        messages = getattr(bucket, kind)
        if not messages:
            continue
        height = messages / minutes / top * (_BASE - _TOP)
        foot -= height
        title = f"{bucket.start.astimezone(UTC):%Y-%m-%d %H:%M}: {messages:,} {kind}"
        bars.append(
            Bar(
                kind=kind, x=round(x, 2), y=round(foot, 2), width=round(width, 2),
                height=round(height, 2), title=title,
            )
        )  # fmt: skip
    return bars


def _spoken(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _round_up(value: float) -> float:
    """Return the next number that reads well on an axis."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return next(power * step for step in (1, 2, 4, 5, 6, 8, 10) if power * step >= value)
