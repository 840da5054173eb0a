"""Where a contact list is looked for, and in which forms it may come."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from genesys_cloud.errors import AudienceError
from genesys_cloud.workflows.audiences import open_audience
from tests.dags.runs import ROOT

INCLUDE = ROOT / "include"
LIST = "address,consent,name\n+12025550143,true,Ann\n+12025550144,true,Bob\n"


def names(location: str, include_dir: Path = INCLUDE) -> list[str]:
    """Return the names in a contact list."""
    with open_audience(location, include_dir) as rows:
        return [row.values["name"] for row in rows]


@pytest.mark.parametrize("location", ["orders.csv", "include/audiences/orders.csv"])
def test_a_relative_path_is_below_the_audiences_or_the_project(location: str) -> None:
    assert len(names(location)) == 40


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_list_may_be_anywhere(tmp_path: Path, form: str) -> None:
    (tmp_path / "people.csv").write_text(LIST)
    assert names(form.format(tmp_path / "people.csv")) == ["Ann", "Bob"]


def test_a_parquet_list_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    table = pyarrow.table(
        {"address": ["+12025550143", "+12025550144"], "consent": [True, False], "name": ["A", "B"]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "people.data")
    with open_audience(str(tmp_path / "people.data"), INCLUDE) as rows:
        found = [(row.number, row.values["consent"], row.values["name"]) for row in rows]
    assert found == [(1, "true", "A"), (2, "false", "B")]


def test_a_list_of_nobody_is_read(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("address,consent,name\n")
    assert names(str(tmp_path / "empty.csv")) == []


def test_an_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "void.csv").write_bytes(b"")
    with pytest.raises(AudienceError, match=r"void\.csv.*is empty; it needs a header"):
        names(str(tmp_path / "void.csv"))


def stumble(location: str) -> None:
    """Read a list, and meet an error that is not the list's."""
    with open_audience(location, INCLUDE) as rows:
        for _ in rows:
            raise FileNotFoundError("the ledger's folder")


def test_what_goes_wrong_with_the_rows_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(LIST)
    with pytest.raises(FileNotFoundError, match="the ledger's"):
        stumble(str(tmp_path / "people.csv"))


def test_a_list_that_breaks_off_says_so_when_it_does(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(LIST + '+12025550145,true,"Cy\n')
    with (
        open_audience(str(tmp_path / "people.csv"), INCLUDE) as rows,
        pytest.raises(AudienceError, match=r"people\.csv"),
    ):
        list(rows)
