"""Drawing with Matplotlib what then takes its colours and its font from the page.

Stand-in colours become CSS variables, so that one drawing serves light and dark. Names from the
data never reach Matplotlib, which would read `$` as mathematics and warn of letters that its font
lacks: a placeholder is drawn, and then replaced by the escaped name.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from genesys_cloud.reporting.wording import count

WIDTH = 400
"""Width of every chart in its own units, chosen so that letters stay legible on a phone."""

LETTER = 11
"""Height of letters, in the same units."""

MOST_TIMES = 8
"""Names that have room along a time axis."""

INK, MUTED, GRID, MARK = "#010101", "#020202", "#030303", "#040404"
ACCENT, GOOD, BAD, WAIT = "#050505", "#060606", "#070707", "#080808"
CARD = "#090909"
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    MARK: "--mark",
    ACCENT: "--accent",
    GOOD: "--good",
    BAD: "--bad",
    WAIT: "--wait",
    CARD: "--card",
}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_MOST_LETTERS = 21


def canvas(*, height: int, left: int, bottom: int, top: int) -> tuple[Figure, Any]:
    """Return a figure and its one pair of axes; margins in units, 14 on the right."""
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    area = (
        left / WIDTH,
        bottom / height,
        (WIDTH - left - 14) / WIDTH,
        (height - bottom - top) / height,
    )
    axes = figure.add_axes(area)
    axes.patch.set_visible(False)
    figure.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    return figure, axes


def category_axis(axes: Any, names: list[str]) -> None:
    """Name the bars from top to bottom."""
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=LETTER, pad=8)


def value_axis(axes: Any) -> None:
    """Rule lines behind the bars, at whole numbers."""
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
    axes.yaxis.set_major_formatter(lambda value, _: number(value))
    axes.set_axisbelow(True)
    axes.yaxis.grid(visible=True, color=GRID, linewidth=0.8)
    axes.tick_params(axis="both", length=0, colors=MUTED, labelsize=LETTER, pad=6)
    axes.spines["bottom"].set(visible=True, color=GRID)


def time_axis(axes: Any, names: Sequence[str], label: str) -> None:
    """Name the places along the time, as many as there is room for."""
    step = -(-len(names) // MOST_TIMES)
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.set_xticks(range(0, len(names), step), names[::step])
    axes.set_xlabel(label, color=MUTED, fontsize=LETTER)


def legend(axes: Any, columns: int, **options: Any) -> None:
    """Explain the colours above the axes, in so many columns."""
    place = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "borderaxespad": 0.2}
    axes.legend(
        ncols=columns,
        frameon=False,
        fontsize=LETTER,
        labelcolor=MUTED,
        handleheight=0.9,
        columnspacing=1.2,
        **{**place, **options},
    )


def time_unit(ms: float) -> tuple[str, float]:
    """Return the unit in which an axis up to so many ms reads best, and its ms."""
    units = (("ms", 1.0, 2_000), ("s", 1e3, 300_000), ("min", 6e4, 18_000_000))
    return next(((unit, scale) for unit, scale, end in units if ms < end), ("h", 3.6e6))


def number(value: float) -> str:
    """Return a count for a chart, whose font may lack the narrow space."""
    return count(value).replace("\u202f", " ")


def to_svg(
    figure: Figure, name: str, title: str, told: str, *, labels: Sequence[str] = ()
) -> Markup:
    """Return the drawing as an element of the page, told in words for whoever can't see it."""
    drawn = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(drawn, format="svg", metadata=_NO_METADATA)
    body = _body(drawn.getvalue(), name)
    body = re.sub(r"label-(\d+)-", lambda hit: escape(_short(labels[int(hit[1])])), body)
    height = round(figure.get_figheight() * 72)
    return Markup(  # noqa: S704 - every name from the data is escaped above or here
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(title)}'
        f'</title><desc id="{name}-desc">{escape(told)}</desc>{body}</svg>'
    )


def _body(svg: str, name: str) -> str:
    """Keep what is inside the svg element: no namespaces, no ids twice in a page, CSS colours."""
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\1{name}-", body)
    body = body.replace("xlink:href", "href")
    body = re.sub(r"font: [^;\"]*;?", f"font-size: {LETTER}px;", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var({variable})")
    return re.sub(r">\s+<", "><", body).strip()


def _short(label: str) -> str:
    """Shorten a name to what fits beside a bar, without letters that nobody can see."""
    visible = "".join(letter if letter.isprintable() else "�" for letter in label)
    return visible if len(visible) <= _MOST_LETTERS else f"{visible[: _MOST_LETTERS - 1]}…"
