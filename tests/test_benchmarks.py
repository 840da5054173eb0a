"""Every benchmark runs and prints its table; what it measures is not judged here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import page
from benchmarks.pacing import most_within
from benchmarks.scale import Scale
from benchmarks.table import Table
from benchmarks.timing import Cost, interleave, times_as_long

TABLE = Table(
    title="Apples", columns=("", "count"), rows=[["red", "12"], ["green", "3"]], notes=("Ripe.",)
)


@pytest.mark.parametrize("name", benchmarks.FIGURES)
def test_a_figure_is_measured_and_has_a_place_in_the_page(name: str) -> None:
    table = benchmarks.measure(name, Scale.TINY)

    assert table.rows
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert table.title in table.as_text()
    assert page.place(name).search(page.PAGE.read_text(encoding="utf-8"))


def test_a_figure_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmarks.main(["sned"])

    assert "there is no figure 'sned'" in capsys.readouterr().err


def test_a_table_lines_up_on_a_terminal() -> None:
    assert TABLE.as_text().splitlines() == [
        "Apples",
        "",
        "       count",
        "------------",
        "red       12",
        "green      3",
        "  Ripe.",
    ]


def test_a_page_takes_a_figure_between_its_markers_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- figure: apples -->\nold\n<!-- end of figure: apples -->\nafter\n")

    page.refresh(path, "apples", TABLE, machine="2 cores", command="count apples")

    text = path.read_text()
    assert text.startswith("before\n<!-- figure: apples -->\n**Apples**\n")
    assert "| green | 3 |" in text
    assert "with `count apples` on 2 cores." in text
    assert "old" not in text
    assert text.endswith("<!-- end of figure: apples -->\nafter\n")


def test_a_page_without_a_place_for_a_figure_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("no figure\n")

    with pytest.raises(ValueError, match="0 places for the figure 'apples'"):
        page.refresh(path, "apples", TABLE, machine="2 cores", command="count apples")


def test_each_round_begins_with_another_contestant() -> None:
    order: list[str] = []

    def note(name: str) -> Cost:
        order.append(name)
        return Cost(seconds=1, cpu_s=1)

    interleave({"a": lambda: note("a"), "b": lambda: note("b")}, rounds=2)

    assert order == ["a", "b", "b", "a"]


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    # 2 / 1, 9 / 3 and 8 / 2: a round in which the machine was slow counts like any other.
    costs = [Cost(seconds=seconds, cpu_s=0) for seconds in (2, 9, 8)]
    baseline = [Cost(seconds=seconds, cpu_s=0) for seconds in (1, 3, 2)]

    assert times_as_long(costs, baseline) == "3.00 x"


def test_the_busiest_window_leaves_out_its_end() -> None:
    # From 0.4: 0.4, 0.5 and 1.3; 1.4 is in the window after.
    assert most_within(1.0, [0.0, 0.4, 0.5, 1.3, 1.4]) == 3
