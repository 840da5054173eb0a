"""The DAG delivery_report over conversations, as the platform's public API has them."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from tests.dags.runs import DagRuns
from tests.simulator.server import SimulatorProcess

DAY = datetime(2024, 1, 15, tzinfo=UTC)
COUNT = 230


def load(simulator: SimulatorProcess) -> None:
    """Have the simulator know a day of conversations; every tenth message failed."""
    shown = [
        {
            "conversationId": f"c{number:04}",
            "from": "+13175550100",
            "to": f"+1317556{number:04}",
            "start": (DAY + timedelta(minutes=number)).isoformat(),
            "changed": (DAY + timedelta(minutes=number, seconds=3)).isoformat(),
            "status": "delivery-success" if number % 10 else "delivery-failed",
        }
        for number in range(COUNT)
    ]
    answer = requests.post(f"{simulator.url}/_sim/conversations", json=shown, timeout=30)
    answer.raise_for_status()


def test_a_backfilled_day_is_exported_whole(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess, place: Path
) -> None:
    load(simulator)
    run = runs.run(
        "delivery_report", {"profile": "agentless"}, logical_date=DAY + timedelta(days=1)
    )

    assert run.state == "success"
    partition = place / "exports" / "deliveries" / "date=2024-01-15"
    manifest = json.loads((partition / "manifest.json").read_text())
    assert (manifest["rows"], manifest["apiTotal"]) == (COUNT, COUNT)
    assert (manifest["complete"], manifest["totalIsApproximate"]) == (True, True)
    assert manifest["notInLedger"] == COUNT
    metrics = json.loads((partition / "metrics.json").read_text())
    assert (metrics["delivered"], metrics["failed"]) == (207, 23)
    assert metrics["deliveryLatency"]["mean"] == 3000
    with (partition / "deliveries.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["messageId"].partition("/")[0] for row in rows] == [
        f"c{number:04}" for number in range(COUNT)
    ]
    assert b"1317556" not in b"".join(file.read_bytes() for file in partition.iterdir())


def test_the_same_day_again_is_the_same_revision(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess, place: Path
) -> None:
    load(simulator)
    day = {"date": "2024-01-15", "profile": "agentless"}
    first, again = (runs.run("delivery_report", day).one("export") for _ in range(2))
    assert again["contentDigest"] == first["contentDigest"]
    assert (again["revision"], again["new_revision"]) == (1, False)
