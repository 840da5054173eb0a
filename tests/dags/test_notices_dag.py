"""Runs of DAGs whose ends are told: through the project's DAGs, Airflow's SMTP notifier, SMTP."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.workflows.notices.rules import FILE
from tests.dags.contacts import CONTACTS, PERSONAL, filled_in
from tests.dags.runs import ROOT, DagRuns
from tests.mail_server import RULES, MailServer, body, mail_server
from tests.simulator.server import SimulatorProcess


@pytest.fixture
def mails(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """Serve SMTP as Airflow's default connection; the shipped example is in force."""
    include = place / "include"
    shutil.copytree(ROOT / "include", include)
    (include / "policies" / FILE).write_text(RULES)
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(include))
    with mail_server() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection)
        yield server


@pytest.fixture
def conf(connection: dict[str, object], tmp_path: Path) -> dict[str, Any]:
    """Return what a person fills in for a run of three shards that nobody approves."""
    return filled_in(tmp_path, batch_size=3)


def told(place: Path) -> list[str]:
    """Return what was told, as the audit trail has it."""
    query = "SELECT details FROM audit_entries WHERE action = 'notice.sent' ORDER BY seq"
    with closing(sqlite3.connect(place / "ledger.db")) as connection:
        return [json.loads(details)["event"] for (details,) in connection.execute(query)]


def test_the_end_of_a_campaign_is_told(
    runs: DagRuns, conf: dict[str, Any], mails: MailServer, place: Path
) -> None:
    run = runs.run("send_campaign", conf)

    assert run.state == "success"
    assert mails.subjects == ["Campaign winter has finished"]
    (mail,) = mails.mails
    assert f"<th align='left'>Recipients</th><td>{len(CONTACTS)}</td>" in body(mail)
    assert f"<th align='left'>Run</th><td>{run.run_id}</td>" in body(mail)
    assert [word for word in PERSONAL if word in str(mail) or word in body(mail)] == []
    assert told(place) == ["campaign_finished"]


def test_a_pause_by_the_error_budget_is_told_once_although_many_tasks_see_it(
    runs: DagRuns,
    conf: dict[str, Any],
    mails: MailServer,
    simulator: SimulatorProcess,
    place: Path,
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 400}])

    run = runs.run("send_campaign", conf | {"error_budget_count": 3, "error_budget_share": 0.5})

    assert run.tasks["send"] == ["success"] * 3  # whoever came after the budget saw the pause
    assert mails.subjects == ["Campaign winter was paused by its error budget"]
    # Which shard comes first, and so how many it took, nobody knows.
    assert re.search(r"error budget: [34] of [34] messages tried", body(mails.mails[0]))
    assert told(place) == ["campaign_paused"]


def test_a_run_that_comes_to_nothing_is_told(
    runs: DagRuns, conf: dict[str, Any], mails: MailServer
) -> None:
    run = runs.run("send_campaign", conf | {"audience": "/nowhere.csv"})

    assert run.state == "failed"
    assert mails.subjects == ["Campaign winter has failed"]
    assert "There is no plan" in body(mails.mails[0])


def test_a_day_without_its_report_is_told(
    runs: DagRuns, connection: dict[str, object], mails: MailServer, simulator: SimulatorProcess
) -> None:
    simulator.faults([{"on": "list", "fault": "status", "status": 403}])

    run = runs.run("delivery_report", {"date": "2024-01-15"})

    assert run.state == "failed"
    assert mails.subjects == ["The delivery report of 2024-01-15 is incomplete"]
    assert "HTTP 403" in body(mails.mails[0])
