from __future__ import annotations

import pytest

from genesys_cloud.outbound.csv_cells import inert


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_what_a_spreadsheet_would_execute_begins_with_an_apostrophe(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a", "1", "a=1", "'", " =1", "{}"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert inert(text) == text
