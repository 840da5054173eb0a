"""A campaign that is planned now and sent later, run as a DAG: it waits in the triggerer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dags.contacts import ARRIVALS, filled_in
from tests.dags.runs import DagRuns, dag_bag, ledger_rows
from tests.simulator.server import SimulatorProcess

SOON = timedelta(seconds=15)
"""When a plan has been made by then, even on a slow machine."""


@pytest.fixture
def conf(warm: None, connection: dict[str, object], tmp_path: Path) -> dict[str, Any]:
    """Return what a person fills in for a real run that begins soon."""
    return filled_in(tmp_path, not_before=(datetime.now(UTC) + SOON).isoformat())


def instant(text: str) -> datetime:
    """Return an instant of the ledger's."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_nothing_leaves_before_its_time(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    run = runs.run("send_campaign", conf)

    assert run.state == "success"
    assert len(simulator.messages()) == len(ARRIVALS)
    left = [instant(row["attempted_at"]) for row in ledger_rows(place) if row["attempted_at"]]
    assert min(left) >= datetime.fromisoformat(conf["not_before"])
    assert run.tasks["wait"] == ["success"]


def test_a_deadline_that_passes_meanwhile_leaves_everything_expired(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess
) -> None:
    deadline = datetime.fromisoformat(conf["not_before"]) + timedelta(milliseconds=1)
    run = runs.run("send_campaign", conf | {"deadline": deadline.isoformat()})

    assert run.state == "success"
    assert run.one("summary")["states"]["expired"] == len(ARRIVALS)
    assert simulator.messages() == []


@pytest.mark.parametrize(
    "changes",
    [{"dry_run": True}, {"not_before": None}, {"not_before": "2026-01-01T00:00:00Z"}],
    ids=["dry run", "no time", "time has come"],
)
def test_where_nothing_is_waited_for_the_task_ends_at_once(
    conf: dict[str, Any], changes: dict[str, object]
) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    from genesys_cloud.workflows.waiting import WaitForStart

    params = {**dag_bag().dags["send_campaign"].params.dump(), **conf}
    operator = WaitForStart(task_id="wait")
    with pytest.raises(TaskDeferred):
        operator.execute({"params": params})
    operator.execute({"params": params | changes})
