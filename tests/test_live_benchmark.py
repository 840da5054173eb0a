"""The benchmark of the live view runs; at its full size it is only asked for."""

from __future__ import annotations

from benchmarks import __main__ as benchmarks
from benchmarks.scale import Scale


def test_the_live_view_s_questions_are_asked_of_a_ledger_that_fills_itself() -> None:
    table = benchmarks.measure("live", Scale.TINY)

    assert len(table.rows) == 18
    assert {len(row) for row in table.rows} == {len(table.columns)}
