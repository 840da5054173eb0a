"""The DAG send_test, run before its campaign; the observer is the simulator's own log."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genesys_cloud.errors import AudienceError
from genesys_cloud.workflows.trial_sends import plan, send, summary
from tests import command_line
from tests.dags.clocks import today
from tests.dags.contacts import ARRIVALS, REASONS, write_contacts
from tests.dags.runs import DagRuns, ledger_rows
from tests.dags.test_dag_files import form, refusal
from tests.simulator.server import SimulatorProcess

TEST_TEXTS = [
    (
        # Of the campaign, too: +12025550143 is the first of its contacts.
        "whatsapp:+12025550143",
        "Hello Tess, your appointment is confirmed for March 5, 2027.",
    ),
    ("whatsapp:+12025550144", "Hola Teo, tu cita queda confirmada para el 5 de marzo de 2027."),
]
TEST_ROWS = (
    "address,consent,language,name,date",
    "+12025550143,true,en,Tess,2027-03-05",
    "+12025550144,true,es,Teo,2027-03-05",
    "+12025550145,false,en,No,2027-03-05",
)
FORM = {
    "campaign_id": "winter",
    "template": "appointment_reminder",
    "channel": "messaging:whatsapp",
    "sender": "whatsapp:+12025550100",
}


@pytest.fixture
def conf(connection: dict[str, object], tmp_path: Path) -> dict[str, Any]:
    """Return what a person fills in for a test."""
    own = tmp_path / "own.csv"
    own.write_text("\n".join(TEST_ROWS), encoding="utf-8")
    return {**FORM, "test_audience": str(own)}


def arrived(simulator: SimulatorProcess) -> list[tuple[str, str]]:
    """Return address and text of every message that the simulator accepted."""
    return sorted((message["to"], message["text"]) for message in simulator.messages())


def test_a_tested_campaign_is_sent_counted_and_proved_as_if_it_had_not_been(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path, tmp_path: Path
) -> None:
    day = {"date": today(), "allow_incomplete": True}
    tested = runs.run("send_test", conf)

    assert tested.state == "success"
    assert arrived(simulator) == TEST_TEXTS
    states = {state: n for state, n in tested.one("summary")["states"].items() if n}
    assert states == {"accepted": 2, "blocked": 1}
    stored = runs.stored()
    assert b"test-20" in stored  # the occurrence is found so, and what is looked for too
    assert [word for word in ("2025550143", "2025550144", "Tess") if word.encode() in stored] == []

    # One message a week to an address: the test is none of them.
    campaign = {
        **FORM,
        "audience": str(write_contacts(tmp_path / "contacts.csv")),
        "dry_run": False,
        "require_approval": False,
        "recipient_cap": 1,
    }
    sent = runs.run("send_campaign", campaign)
    assert sent.state == "success"
    assert arrived(simulator) == sorted([*TEST_TEXTS, *ARRIVALS])

    status = json.loads(command_line.run("campaign", "status", "winter", "--json").stdout)
    assert status["recipients"] == len(REASONS)
    assert status["states"]["accepted"] == len(ARRIVALS)
    assert status["tests"] == {"accepted": 2, "blocked": 1}
    proved = json.loads(command_line.run("campaign", "prove", "winter", "--json").stdout)
    assert (proved["proved"], proved["listed"], proved["tests"]) == (True, len(ARRIVALS), 3)

    manifest = runs.run("delivery_report", day).one("export")
    partition = Path(manifest["place"])
    assert (manifest["rows"], manifest["testMessages"]) == (len(ARRIVALS) + 2, 2)
    assert sum(manifest["notSent"]["winter"]["blocked"].values()) == len(REASONS) - len(ARRIVALS)
    with (partition / "deliveries.csv").open(newline="") as stream:
        marked = {row["messageId"]: row["isTest"] for row in csv.DictReader(stream)}
    tests = {row["api_message_id"] for row in ledger_rows(place) if row["occurrence"] != "once"}
    assert {name for name, is_test in marked.items() if is_test == "true"} == tests - {None}
    metrics = json.loads((partition / "metrics.json").read_text())
    assert (metrics["accepted"], metrics["testMessages"]) == (len(ARRIVALS), 2)


def run_at(second: int) -> SimpleNamespace:
    """Return what the tasks need of a run that began then."""
    began = datetime(2026, 11, 23, 12, 0, second, tzinfo=UTC)
    return SimpleNamespace(
        dag_id="send_test", run_id=f"r{second}", logical_date=None, run_after=began,
        triggering_user_name="ops",
    )  # fmt: skip


def test_a_run_sends_once_and_another_run_is_another_test(
    conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    params = {**conf, "default_language": "en"}
    for second in (1, 1, 2):
        planned = plan.function(params=params, dag_run=run_at(second))
        send.function(planned, params=params)
    assert planned["occurrence"] == "test-20261123T120002Z"
    assert arrived(simulator) == sorted(TEST_TEXTS * 2)
    assert summary.function(planned)["states"]["accepted"] == 2


def test_what_is_no_test_is_refused_before_anything_is_sent(
    conf: dict[str, Any],
    simulator: SimulatorProcess,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    everybody = {**conf, "test_audience": str(write_contacts(tmp_path / "all.csv"))}
    with pytest.raises(AudienceError, match="more than 20 recipients"):
        plan.function(params={**everybody, "default_language": "en"}, dag_run=run_at(1))
    assert simulator.messages() == []
    assert "nothing was planned:\nThe test list" in caplog.text


def test_the_form_asks_for_what_a_test_needs_and_for_no_more() -> None:
    filled_in = form("send_test").deep_merge(FORM)
    filled_in.validate()
    assert sorted(filled_in) == sorted([*FORM, "default_language", "test_audience"])
    assert filled_in["test_audience"] == "test_recipients.csv"


@pytest.mark.parametrize(
    ("name", "value"),
    [("campaign_id", "BAD ID"), ("test_audience", ""), ("template", None), ("channel", "fax")],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object) -> None:
    assert f"Invalid input for param {name}:" in refusal("send_test", FORM | {name: value})
