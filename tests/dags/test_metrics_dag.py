"""What Airflow's StatsD client sends while campaigns, reconciliations and reports run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.dags.clocks import today
from tests.dags.contacts import ARRIVALS, CONTACTS, filled_in
from tests.dags.runs import DagRuns
from tests.statsd import airflow_tells, statsd_server


def test_runs_tell_what_they_do(
    runs: DagRuns, connection: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = filled_in(tmp_path)
    day = {"date": today(), "allow_incomplete": True}
    with statsd_server() as server, airflow_tells(server, monkeypatch):
        states = [
            runs.run("send_campaign", campaign).state,
            runs.run("reconcile_sends", {}).state,
            runs.run("delivery_report", day).state,
        ]

    assert states == ["success"] * 3
    sent = len(ARRIVALS)
    assert server.counters() == {
        "genesys.plan.recipients": len(CONTACTS),
        "genesys.plan.planned": sent,
        "genesys.plan.blocked": len(CONTACTS) - sent,
        "genesys.sends.attempted": sent,
        "genesys.sends.accepted": sent,
        "genesys.report.rows": sent,
        "genesys.report.incomplete": 1,
    }
    timers = ("genesys.gate.wait", "genesys.send.duration", "genesys.report.duration")
    gauges = ("genesys.reconciled.left", "genesys.events.waiting")
    assert {name for name, kind in server.kinds().items() if kind == "ms"} == set(timers)
    assert {name: server.gauge(name) for name in gauges} == dict.fromkeys(gauges, 0.0)


def test_the_mounted_receiver_tells_whom_it_turns_away(
    metadata_database: Path, connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from genesys_cloud.workflows.receiver import mounted_receiver
    from tests.webhook.asgi import call

    with statsd_server() as server, airflow_tells(server, monkeypatch):
        app: Any = mounted_receiver()
        answered = asyncio.run(call(app, body=b"{}", path="/nothing"))

    assert answered is not None
    assert answered.status == 404
    assert server.counters() == {"genesys.events.refused": 1}
