"""`genesys-cloud report`: a page about many exported days, from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from genesys_cloud import cli
from genesys_cloud.errors import CampaignDefinitionError, ExportTargetError
from tests.airflow_warnings import AIRFLOWS_OWN
from tests.reporting.month import put_month

pytestmark = [pytest.mark.filterwarnings(rule) for rule in AIRFLOWS_OWN]

DAYS = ("--from", "2024-01-15", "--to", "2024-01-17")


@pytest.fixture(autouse=True)
def exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Export the first and the third of three days, and work in a folder of the test's own."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    monkeypatch.setenv("GENESYS_EXPORT_URL", str(tmp_path / "exports"))
    put_month(tmp_path / "exports", 3, without=[1])
    monkeypatch.chdir(tmp_path)
    return tmp_path / "exports"


def report(*arguments: str) -> Result:
    result = CliRunner().invoke(cli.app, ["report", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_report_is_written_and_the_terminal_says_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "january.html"
    told = report(*DAYS, "--out", str(out)).stdout
    assert "2024-01-15 to 2024-01-17, 420 messages. Incomplete: 1 of 3 days missing" in told
    assert "No partition: 2024-01-16" in told
    assert told.endswith(f"The report is {out}\n")
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] != [".january.html.part"]


def test_without_a_name_the_file_is_named_by_its_days(tmp_path: Path) -> None:
    report(*DAYS)
    assert (tmp_path / "delivery-report_2024-01-15_2024-01-17.html").exists()


def test_json_has_the_figures_and_writes_no_file_that_nobody_named(tmp_path: Path) -> None:
    found = json.loads(report(*DAYS, "--json").stdout)
    assert found["metrics"]["accepted"] == 420  # 150 + 270
    assert (found["from"], found["to"]) == ("2024-01-15", "2024-01-17")
    assert found["missingDays"] == ["2024-01-16"]
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


def test_json_beside_a_file(tmp_path: Path) -> None:
    found = json.loads(report(*DAYS, "--json", "--out", "page.html").stdout)
    assert found["days"]["2024-01-17"] == {"state": "complete", "rows": 270, "revision": 1}
    assert (tmp_path / "page.html").exists()


def test_a_dash_is_standard_output() -> None:
    html = report(*DAYS, "--out", "-").stdout
    assert html.startswith("<!doctype html>")
    assert html.endswith("</html>\n")


def test_two_answers_on_standard_output_are_refused() -> None:
    with pytest.raises(CampaignDefinitionError, match="would both print"):
        report(*DAYS, "--out", "-", "--json")


@pytest.mark.parametrize("word", ["yesterday", "2024-13-01", ""])
def test_what_is_no_day_is_refused_by_its_option(word: str) -> None:
    with pytest.raises(CampaignDefinitionError, match=r"--to .* is not a day"):
        report("--from", "2024-01-15", "--to", word)


def test_days_that_nobody_exported_are_a_sentence() -> None:
    with pytest.raises(CampaignDefinitionError, match="No day from 2023-01-01 to 2023-01-02 has"):
        report("--from", "2023-01-01", "--to", "2023-01-02")


def test_a_place_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportTargetError, match="Give --out a path in a folder"):
        report(*DAYS, "--out", str(tmp_path / "nowhere" / "page.html"))
