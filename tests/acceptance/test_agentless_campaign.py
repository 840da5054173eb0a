"""A campaign of 500 over the platform's own API, from the form to the proof, while it misbehaves.

The connection names no profile: it is found out. The observer is the simulator's own log.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.outbound.asking import POLLED
from genesys_cloud.workflows.proof import prove
from genesys_cloud.workflows.tracking import Bounds, track
from tests.dags.clocks import today
from tests.dags.conftest import REQUESTS_PER_MINUTE
from tests.dags.runs import ROOT, DagRuns, ledger_rows
from tests.fast_clock import FastClock
from tests.simulator.server import SimulatorProcess

RECIPIENTS = 500
SPEED = 60_000
"""A day of the slowest messages' lives takes a second and a half."""

FAULTS: list[dict[str, Any]] = [
    {"on": "agentless", "fault": "drop_after", "every": 97, "times": 4},
    {"on": "agentless", "fault": "drop_before", "every": 89, "times": 3},
    {"on": "agentless", "fault": "status", "status": 503, "after_accept": True, "times": 2},
    {"on": "agentless", "fault": "revoke_token", "every": 61, "times": 2},
    {"on": "agentless", "fault": "status", "status": 429, "headers": {"Retry-After": "1"},
     "every": 83, "times": 2},
]  # fmt: skip


@pytest.fixture
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(
        profiles="agentless", requests_per_minute=REQUESTS_PER_MINUTE, speed=SPEED,
        slow_share=0.1, shifting_pages=False, approximate_totals=0.01,
    ) as process:  # fmt: skip
        yield process


@pytest.fixture
def audience(place: Path) -> str:
    """The first rows of the demo's contact list, with the mistakes that real lists have."""
    lines = (ROOT / "include/audiences/demo_contacts.csv").read_bytes().split(b"\r\n")
    (place / "people.csv").write_bytes(b"\r\n".join(lines[: RECIPIENTS + 1]))
    return str(place / "people.csv")


def follow(ledger: Ledger) -> None:
    """Ask for statuses until nobody owes one."""
    clock = FastClock(speed=SPEED)
    with GenesysCloudHook().get_conn() as client:
        bounds = Bounds.of(client.requests_per_minute)
        while True:
            now = clock.now()
            asked = track(ledger, client, now=now, schedule=POLLED, bounds=bounds)
            if asked.next_at is None:
                return
            clock.wait_until(asked.next_at)


@pytest.mark.usefixtures("connection")
def test_a_campaign_of_five_hundred_from_the_form_to_the_proof(
    runs: DagRuns, place: Path, simulator: SimulatorProcess, audience: str
) -> None:
    simulator.faults(FAULTS)
    day = today()
    campaign = {
        "campaign_id": "spring",
        "audience": audience,
        "template": "appointment_reminder",
        "channel": "messaging:sms",
        "sender": "+12025550100",
        "dry_run": False,
        "require_approval": False,
        "batch_size": 150,
    }
    run = runs.run("send_campaign", campaign)
    assert run.state == "success"
    assert run.one("plan")["profile"] == "agentless"
    # A second click on Trigger sends to nobody.
    assert runs.run("send_campaign", campaign).state == "success"
    struck = [rule["struck"] for rule in simulator.faults()]
    simulator.clear_faults()
    assert all(struck), struck

    before = Counter(row["state"] for row in ledger_rows(place))
    assert before["unknown"] == 4 + 3 + 2  # dropped after and before the answer, and two of 503
    runs.run("reconcile_sends", {})
    rows = ledger_rows(place)
    states = Counter(row["state"] for row in rows)
    assert states.total() == RECIPIENTS
    # What was dropped before it was read never reached anybody: only a person can say so.
    assert (states["unknown"], set(states)) == (3, {"accepted", "blocked", "unknown"})

    reached = Counter(message["to"] for message in simulator.messages())
    assert [address for address, count in reached.items() if count > 1] == []
    assert set(reached) == {row["address"] for row in rows if row["state"] == "accepted"}
    assert {row["api_message_id"] for row in rows if row["state"] == "accepted"} == {
        message["id"] for message in simulator.messages()
    }

    ledger = open_ledger(ledger_url())
    follow(ledger)
    simulator.wait_until_quiet()
    report(runs, place, day, states["accepted"])
    with GenesysCloudHook().get_conn() as client:
        certificate = prove(ledger, client, "spring", now=datetime.now(UTC))
    assert certificate.listed == states["accepted"]
    assert audit.verify(ledger).ok
    ledger.close()


def report(runs: DagRuns, place: Path, day: str, accepted: int) -> None:
    """Make the report of the day, and hold it against the ledger."""
    assert runs.run("delivery_report", {"date": day, "allow_incomplete": True}).state == "success"
    partition = place / "exports" / "deliveries" / f"date={day}"
    manifest = json.loads((partition / "manifest.json").read_text())
    metrics = json.loads((partition / "metrics.json").read_text())
    assert (manifest["rows"], manifest["notInLedger"]) == (accepted, 0)
    ledger = Counter(row["status"] for row in ledger_rows(place) if row["status"])
    assert metrics["delivered"] == ledger["delivered"] + ledger["read"]
    assert metrics["failed"] == ledger["failed"]
    assert metrics["delivered"] + metrics["failed"] == accepted
    assert metrics["byCampaign"]["spring"]["totalSent"] == accepted
