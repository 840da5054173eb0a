"""The DAG that asks for statuses: it waits without a worker, and has nothing to do for pushes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from sqlalchemy import update

from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound import asking
from genesys_cloud.outbound.asking import Schedule
from genesys_cloud.workflows import tracking
from tests.dags.conftest import REQUESTS_PER_MINUTE
from tests.dags.runs import DagRuns, dag_bag, ledger_rows
from tests.ledger.planted import only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Sender

PEOPLE = 5
SECOND = timedelta(seconds=1)
QUICK = Schedule(first=0.2 * SECOND, longest_distance=SECOND, oldest=timedelta(days=10))


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[SimulatorProcess]:
    """Run a simulator of the agentless profile, where every message is final in an instant."""
    with SimulatorProcess(
        profiles="agentless", requests_per_minute=REQUESTS_PER_MINUTE, speed=1000, read_share=0,
        failure_share=0.5,
    ) as process:  # fmt: skip
        yield process


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask every second rather than every few seconds, and then hours."""
    monkeypatch.setattr(asking, "POLLED", QUICK)
    monkeypatch.setattr(tracking, "SHORTEST_WAIT", SECOND)


@pytest.fixture
def sent(connection: dict[str, object], simulator: SimulatorProcess) -> None:
    """Send to a few people; what Genesys then says is final, and the ledger does not know it."""
    ledger, hook = open_ledger(ledger_url()), GenesysCloudHook()
    with hook.get_conn() as client:
        shard = only_shard(ledger, plant(ledger, PEOPLE))
        Sender(ledger=ledger, client=client, account=hook.account()).send(shard)
    # As old as that the first question is due.
    with ledger.write() as transaction:
        back = datetime.now(UTC) - timedelta(hours=3)
        transaction.execute(update(messages).values(status_at=back))
    ledger.close()
    simulator.wait_until_quiet()


def know_nothing(simulator: SimulatorProcess, *, times: int | None = None) -> None:
    """Have Genesys not know the messages that it is asked about, at first or for good."""
    body = {"code": "not.found", "message": "no such message", "status": 404}
    rule = {"on": "details", "fault": "status", "status": 404, "body": body, "times": times}
    simulator.faults([{name: value for name, value in rule.items() if value is not None}])


def asked_for(simulator: SimulatorProcess) -> Counter[str]:
    """Return how often each message was asked about."""
    paths = (one["path"] for one in simulator.requests()["requests"] if one["method"] == "GET")
    return Counter(path.split("/")[-2] for path in paths if path.endswith("/details"))


def test_a_run_waits_between_its_passes_and_ends_when_everybody_is_final(
    runs: DagRuns, sent: None, simulator: SimulatorProcess, place: Path, quick: None
) -> None:
    know_nothing(simulator, times=PEOPLE)
    ended = runs.run("track_statuses", {})
    assert (ended.state, ended.tasks) == ("success", {"track": ["success"]})
    found = {row["api_message_id"]: row["status"] for row in ledger_rows(place)}
    words = {"delivery-success": "delivered", "delivery-failed": "failed", "failed": "failed"}
    assert found == {one["id"]: words[one["status"]] for one in simulator.messages()}
    # Once in vain; the trigger waited; and then Genesys knew.
    assert asked_for(simulator) == dict.fromkeys(found, 2)
    # Airflow's test runner drops what a deferral keeps: here the sums are the last pass's own.
    assert ended.one("track") == result(passes=1, asked=PEOPLE, moved=PEOPLE)


def result(*, passes: int, asked: int, moved: int = 0, not_known: int = 0) -> dict[str, object]:
    counts = {"passes": passes, "asked": asked, "moved": moved, "not_known": not_known}
    return {"profile": "agentless"} | counts


def test_a_run_ends_though_messages_are_open_that_are_due_after_its_window(
    runs: DagRuns, sent: None, simulator: SimulatorProcess
) -> None:
    another = runs.run("track_statuses", {"campaign_id": "another"})
    assert another.one("track") == result(passes=1, asked=0)
    know_nothing(simulator)
    # The statuses are three hours old, and so is the distance to the next question.
    ended = runs.run("track_statuses", {"window_minutes": 179})
    assert ended.one("track") == result(passes=1, asked=PEOPLE, not_known=PEOPLE)


def test_sums_go_on_over_a_wait_and_nothing_but_counts_is_kept(
    runs: DagRuns, sent: None, simulator: SimulatorProcess, quick: None
) -> None:
    know_nothing(simulator, times=PEOPLE)
    task = dag_bag().dags["track_statuses"].get_task("track")
    started = datetime.now(UTC)
    context: dict[str, Any] = {
        "params": {"campaign_id": None, "window_minutes": 15},
        "dag_run": SimpleNamespace(start_date=started),
    }
    with pytest.raises(TaskDeferred) as waits:
        task.again(context)
    trigger = waits.value.trigger
    classpath, kept = trigger.serialize()
    assert classpath == "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
    assert SECOND <= kept["moment"] - started < timedelta(minutes=1)
    assert waits.value.kwargs == {
        "so_far": {"passes": 1, "asked": PEOPLE, "moved": 0, "not_known": PEOPLE}
    }
    (event,) = asyncio.run(events_of(trigger))
    done = getattr(task, waits.value.method_name)(context, event=event, **waits.value.kwargs)
    assert done == result(passes=2, asked=2 * PEOPLE, moved=PEOPLE, not_known=PEOPLE)


async def events_of(trigger: Any) -> list[object]:
    """Wait as the triggerer does, and return what the trigger tells the task."""
    return [event.payload async for event in trigger.run()]


def test_a_run_that_may_not_ask_fails(
    runs: DagRuns, sent: None, simulator: SimulatorProcess, place: Path
) -> None:
    simulator.faults([{"on": "details", "fault": "status", "status": 403}])
    assert runs.run("track_statuses", {}).state == "failed"
    assert {row["status"] for row in ledger_rows(place)} == {"queued"}


def test_what_a_run_leaves_over_is_reconciled_by_lists(
    runs: DagRuns, sent: None, simulator: SimulatorProcess, place: Path
) -> None:
    done = runs.run("reconcile_sends", {"campaign_id": None}).one("reconcile")
    assert (done["moved"], done["still_open"], done["unasked"]) == (PEOPLE, 0, 0)
    failed = {one["id"] for one in simulator.messages() if "failed" in one["status"]}
    assert {row["api_message_id"] for row in ledger_rows(place) if row["reason_code"]} == failed
    assert asked_for(simulator) == dict.fromkeys(failed, 1)


def test_where_events_are_pushed_there_is_nothing_to_do(
    runs: DagRuns, connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = connection["extra"] | {"profile": "messaging"}
    described = json.dumps(connection | {"extra": pinned})
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", described)
    ended = runs.run("track_statuses", {})
    assert (ended.state, ended.one("track")) == ("success", {"profile": "messaging"})
