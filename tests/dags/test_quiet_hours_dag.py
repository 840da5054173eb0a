"""A marketing campaign that meets quiet hours, run as a DAG: held, deferred, sent or expired."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import quiet
from tests.dags.clocks import zone_where_it_is
from tests.dags.runs import ROOT, DagRuns, FinishedRun, dag_bag, ledger_rows
from tests.simulator.server import SimulatorProcess

SOON = timedelta(seconds=15)
"""When a plan has been made by then, even on a slow machine."""
NUMBERS = [f"+120255501{number:02d}" for number in range(40, 45)]


@pytest.fixture
def conf(
    warm: None, connection: dict[str, object], place: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Return what a person fills in for a marketing campaign, with hours of the test's own."""
    shutil.copytree(ROOT / "include" / "templates", place / "include" / "templates")
    (place / "include" / "policies").mkdir()
    monkeypatch.setenv("GENESYS_INCLUDE_DIR", str(place / "include"))
    return {
        "campaign_id": "winter_sale",
        "audience": str(place / "contacts.csv"),
        "template": "order_update",
        "channel": "messaging:sms",
        "sender": "+12025550100",
        "message_class": "marketing",
        "dry_run": False,
        "require_approval": False,
    }


def write_contacts(place: Path, zones: Mapping[str, str]) -> None:
    with (place / "contacts.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["address", "consent", "timezone", "name", "orderId"])
        writer.writerows([number, "true", zone, "Al", "A-1"] for number, zone in zones.items())


def write_hours(place: Path, opens: datetime, closes: datetime) -> None:
    policy = place / "include" / "policies" / "quiet_hours.toml"
    policy.write_text(quiet.policy(f"{opens:%H:%M:%S}", f"{closes:%H:%M:%S}"), encoding="utf-8")


def arrived(simulator: SimulatorProcess) -> list[str]:
    return sorted(message["to"] for message in simulator.messages())


def states(run: FinishedRun) -> dict[str, int]:
    return {state: count for state, count in run.one("summary")["states"].items() if count}


def test_who_sleeps_gets_the_message_when_the_window_opens(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    zone = ZoneInfo(zone_where_it_is(12))
    opening = datetime.now(zone).replace(microsecond=0) + SOON
    write_hours(place, opening, opening + timedelta(hours=6))
    # Five hours further east the window has been open for long.
    east = zone_where_it_is(17)
    write_contacts(
        place, {**dict.fromkeys(NUMBERS[:3], zone.key), **dict.fromkeys(NUMBERS[3:], east)}
    )

    run = runs.run("send_campaign", conf)

    assert run.state == "success"
    assert arrived(simulator) == NUMBERS
    assert states(run) == {"accepted": 5}
    rows = {row["address"]: row for row in ledger_rows(place)}
    left = [datetime.fromisoformat(rows[n]["attempted_at"]).replace(tzinfo=UTC) for n in NUMBERS]
    assert min(left[:3]) >= opening
    assert run.tasks["send_held"] == ["success"]


def test_a_deadline_before_the_window_opens_ends_the_wait(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    write_hours(place, noon, noon + timedelta(hours=6))
    write_contacts(place, dict.fromkeys(NUMBERS, zone_where_it_is(2)))
    deadline = datetime.now(UTC) + SOON

    run = runs.run("send_campaign", conf | {"deadline": deadline.isoformat()})

    assert run.state == "success"
    assert run.one("plan")["counts"]["held"] == 5
    # Nobody was ready, so there was no shard; what is held was waited for all the same.
    assert run.tasks["send"] == ["skipped"]
    assert run.one("send_held") == {"expired": 5}
    assert states(run) == {"expired": 5}
    assert simulator.messages() == []


def test_an_informational_campaign_leaves_at_once(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    write_hours(place, noon, noon + timedelta(hours=6))
    write_contacts(place, dict.fromkeys(NUMBERS, zone_where_it_is(2)))

    run = runs.run("send_campaign", conf | {"message_class": "informational"})

    assert states(run) == {"accepted": 5}
    assert run.one("send_held") == {}
    assert {row["place"] for row in ledger_rows(place)} == {None}


def test_a_dry_run_counts_who_would_be_held(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    write_hours(place, noon, noon + timedelta(hours=6))
    write_contacts(place, dict.fromkeys(NUMBERS, zone_where_it_is(2)))

    run = runs.run("send_campaign", conf | {"dry_run": True})

    counts = run.one("plan")["counts"]
    assert (counts["planned"], counts["held"]) == (5, 5)
    assert run.one("send_held") == {}
    assert run.state == "success"


def test_hours_that_are_not_clear_stop_the_run_before_anything_is_sent(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    (place / "include" / "policies" / "quiet_hours.toml").write_text("dated = 2026-11-23\nx = 1\n")
    write_contacts(place, dict.fromkeys(NUMBERS, ""))

    run = runs.run("send_campaign", conf)

    assert run.state == "failed"
    assert run.tasks["plan"] == ["failed"]
    assert simulator.messages() == []


def test_the_end_waits_for_every_shard_and_for_what_is_held() -> None:
    # A failed shard ends send_held at once, while others still send.
    end = dag_bag().dags["send_campaign"].get_task("summary")
    assert {"send", "send_held"} <= end.upstream_task_ids


def test_nothing_held_goes_out_where_a_shard_has_failed(
    runs: DagRuns, conf: dict[str, Any], simulator: SimulatorProcess, place: Path
) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    write_hours(place, noon, noon + timedelta(hours=6))
    zones = dict.fromkeys(NUMBERS[:4], zone_where_it_is(2))
    write_contacts(place, zones | {NUMBERS[4]: zone_where_it_is(14)})
    simulator.faults([{"on": "send", "fault": "status", "status": 403}])

    run = runs.run("send_campaign", conf)

    assert run.state == "failed"
    assert run.tasks["send"] == ["failed"]
    assert run.tasks["send_held"] == ["upstream_failed"]
    assert run.tasks["summary"] == ["failed"]  # five recipients have no outcome
    assert simulator.messages() == []
