"""A list that is long enough for worker processes, planned by a task of Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.workflows import planning_workers
from tests.dags.contacts import ARRIVALS, REASONS, filled_in
from tests.dags.runs import DagRuns, ledger_rows
from tests.simulator.server import SimulatorProcess


@pytest.mark.usefixtures("connection")
def test_workers_decide_in_a_task_as_the_task_itself(
    runs: DagRuns,
    simulator: SimulatorProcess,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[object] = []

    class Noted(planning_workers._Worker):
        def __init__(self) -> None:
            started.append(self)
            super().__init__()

    monkeypatch.setattr(planning_workers, "_Worker", Noted)
    monkeypatch.setattr(planning_workers, "ROWS_IN_PROCESS", 2)
    conf: dict[str, Any] = filled_in(tmp_path)
    run = runs.run("send_campaign", conf)
    assert run.state == "success"
    assert started
    assert sorted((m["to"], m["text"]) for m in simulator.messages()) == ARRIVALS
    assert [row["reason_code"] for row in ledger_rows(place)] == REASONS
