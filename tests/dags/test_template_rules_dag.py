"""A template's own rules in a run: what it refuses, what its lint stops, and the longest text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dags.runs import DagRuns, ledger_rows
from tests.simulator.server import SimulatorProcess

SOURCE = "{{ name or abort('we write to nobody without a name') }}: {{ words }}"
HEADER = "address,consent,language,name,words"
PEOPLE = [
    "+12025550143,true,en,Ana Marker,hello",
    "+12025550144,true,pt-BR,,hello",
    f"+12025550145,true,en,Bo Marker,{'x' * 130}’",
]


@pytest.fixture
def conf(
    connection: dict[str, object], place: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Return what a person fills in for a real run, with a template of an organisation's own."""
    folder = place / "include" / "templates" / "rules"
    folder.mkdir(parents=True)
    (folder / "en.j2").write_text(SOURCE)
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(place / "include"))
    (place / "people.csv").write_text("\n".join([HEADER, *PEOPLE]))
    return {
        "campaign_id": "rules",
        "audience": str(place / "people.csv"),
        "template": "rules",
        "channel": "messaging:sms",
        "sender": "+12025550100",
        "max_segments": 2,
        "dry_run": False,
        "require_approval": False,
    }


@pytest.fixture
def printed(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[[], str]:
    """Return all that was printed and logged until it is called."""
    caplog.set_level("INFO")
    return lambda: "".join(capfd.readouterr()) + caplog.text


def test_who_is_refused_is_blocked_with_the_reason_and_the_lint_is_printed(
    runs: DagRuns,
    conf: dict[str, Any],
    simulator: SimulatorProcess,
    place: Path,
    printed: Callable[[], str],
) -> None:
    run = runs.run("send_campaign", conf)

    assert run.state == "success"
    assert [message["text"] for message in simulator.messages()] == ["Ana Marker: hello"]
    rows = ledger_rows(place)
    assert [row["reason_code"] for row in rows] == [None, "template_aborted", "too_many_segments"]
    assert rows[1]["reason"] == (
        "Template 'rules' refuses this recipient: we write to nobody without a name."
    )
    told = printed()
    assert "1 recipient asks for pt-BR, and template 'rules' has no text in it" in told
    assert "warning value_not_gsm: " in told
    assert "Marker" not in told
    assert run.one("plan")["lint"]["warning"] >= 2


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_list_without_a_column_that_every_text_needs_blocks_each_row_and_stops_nothing(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path, dry_run: bool
) -> None:
    (place / "people.csv").write_text("address,consent,name\n+12025550143,true,Ana\n")
    run = runs.run("send_campaign", conf | {"dry_run": dry_run})
    assert run.state == "success"
    assert run.one("plan")["counts"]["blocked"] == {"missing_variable": 1}
    assert run.one("plan")["lint"]["error"] == 1
    assert simulator.messages() == []
