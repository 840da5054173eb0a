"""The DAG ledger_retention, and that Airflow's own database never learns an address."""

from __future__ import annotations

import csv
import logging
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.dags.runs import ROOT, DagRuns, dag_bag, ledger_rows
from tests.dags.test_other_dags import ORDERS
from tests.simulator.server import SimulatorProcess


def grow_old(place: Path, days: int) -> None:
    """Let every message of the ledger have been previewed and settled so many days ago."""
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        for column in ("messages SET settled_at", "previews SET created_at"):
            ledger.execute(f"UPDATE {column} = datetime('now', ?)", (f"-{days} days",))
        ledger.commit()


def test_it_runs_daily_and_one_at_a_time() -> None:
    dag = dag_bag().dags["ledger_retention"]
    assert str(dag.schedule) == "30 2 * * *"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_it_destroys_what_the_shipped_policy_no_longer_allows(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess, place: Path
) -> None:
    sent = runs.run("send_campaign", ORDERS)
    assert sent.state == "success"
    kept = runs.run("ledger_retention", {})
    classes = ("texts", "preview_samples", "digest_keys", "addresses", "events")
    assert kept.one("retain") == dict.fromkeys(classes, 0)

    grow_old(place, 100)
    done = runs.run("ledger_retention", {}).one("retain")
    assert (done["texts"], done["preview_samples"] > 0) == (40, True)
    grow_old(place, 401)
    assert runs.run("ledger_retention", {}).one("retain")["addresses"] == 40
    rows = ledger_rows(place)
    assert {(row["address"], row["text"]) for row in rows} == {("-", "")}
    assert sum(row["state"] == "accepted" for row in rows) == 37
    with closing(sqlite3.connect(place / "ledger.db")) as ledger:
        (actor,) = ledger.execute(
            "SELECT DISTINCT actor FROM audit_entries WHERE action LIKE 'retention.%'"
        ).fetchone()
    assert actor.startswith("airflow:")


def test_a_policy_that_is_not_clear_fails_the_run_and_deletes_nothing(
    runs: DagRuns,
    connection: dict[str, object],
    simulator: SimulatorProcess,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs.run("send_campaign", ORDERS)
    grow_old(place, 5_000)
    before = ledger_rows(place)
    include = place / "include"
    shutil.copytree(ROOT / "include", include)
    policy = include / "policies" / "retention.toml"
    policy.write_text(policy.read_text().replace("days = 90", "days = -90"))
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(include))
    assert runs.run("ledger_retention", {}).state == "failed"
    assert ledger_rows(place) == before


def test_neither_airflows_database_nor_its_logs_ever_learn_an_address(
    runs: DagRuns,
    connection: dict[str, object],
    simulator: SimulatorProcess,
    place: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator.faults([{"on": "send", "fault": "drop_after", "times": 1}])
    with caplog.at_level(logging.DEBUG, logger="genesys_cloud"):
        for dag_id, conf in (("send_campaign", ORDERS), ("reconcile_sends", {}),
                             ("ledger_retention", {})):  # fmt: skip
            assert runs.run(dag_id, conf).state == "success"
    with (ROOT / "include" / "audiences" / "orders.csv").open(encoding="utf-8") as stream:
        numbers = {re.sub(r"\D", "", row["address"]) for row in csv.DictReader(stream)}
    assert len(numbers) == 40
    stored, logged = runs.stored(), caplog.text
    assert "retention of" in logged
    assert [number for number in numbers if number.encode() in stored or number in logged] == []
