"""The DAG delivery_report, run for days whose messages the simulator was given."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.workflows.report_days import days_before, interval_of
from genesys_cloud.workflows.report_tasks import refresh
from tests.dags.clocks import today
from tests.dags.contacts import filled_in
from tests.dags.runs import DagRuns, ledger_rows
from tests.simulator.server import SimulatorProcess

DAY = "2024-01-15"
FILES = (
    *("deliveries.csv", "deliveries.jsonl", "deliveries.parquet"),
    *("manifest.json", "metrics.json", "report.html"),
)


def message(number: int, status: str, created: str, **dates: str | None) -> dict[str, Any]:
    """Return a message as the list endpoint shows it."""
    return {
        "id": f"msg_{number:04}",
        "channelType": "messaging:sms",
        "status": status,
        "createdDate": created,
        "metadata": {"campaignId": "winter"},
        "to": [{"address": "+12025550143"}],
        **dates,
    }


def day_of_messages() -> list[dict[str, Any]]:
    """Return 250 messages of the day, 3 pages, and one each side of it.

    Message n of the day: created at 08:00 + n s, sent 100 + n ms later, delivered 2 s later. Every
    tenth failed; the last five are still queued.
    """
    listed = []
    for number in range(250):
        created = datetime(2024, 1, 15, 8, tzinfo=UTC) + timedelta(seconds=number)
        sent = created + timedelta(milliseconds=100 + number)
        end = created + timedelta(seconds=2)
        if number >= 245:
            listed.append(message(number, "queued", iso(created)))
        elif number % 10 == 0:
            listed.append(
                message(number, "failed", iso(created), sentDate=iso(sent), failedDate=iso(end))
            )
        else:
            listed.append(
                message(
                    number, "delivered", iso(created), sentDate=iso(sent), deliveredDate=iso(end)
                )
            )
    before = message(998, "delivered", "2024-01-14T23:59:59.999Z")
    after = message(999, "delivered", "2024-01-16T00:00:00.000Z")
    return [before, *listed, after]


def iso(moment: datetime) -> str:
    """Return a time as Genesys writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def partition(connection: dict[str, object], simulator: SimulatorProcess, place: Path) -> Path:
    """Return where the day's partition will be, the simulator holding its messages."""
    simulator.load(day_of_messages())
    return place / "exports" / "deliveries" / f"date={DAY}"


def test_a_backfilled_day_is_exported_whole(
    runs: DagRuns, partition: Path, simulator: SimulatorProcess
) -> None:
    # A run with the logical date of the next midnight has the day before as its data interval.
    run = runs.run("delivery_report", {}, logical_date=datetime(2024, 1, 16, tzinfo=UTC))

    assert run.state == "success"
    assert sorted(file.name for file in partition.iterdir()) == sorted(FILES)
    with (partition / "deliveries.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["messageId"] for row in rows] == [f"msg_{n:04}" for n in range(250)]
    assert rows[7]["latencyMs"] == "107"
    assert rows[249]["latencyMs"] == ""
    metrics = json.loads((partition / "metrics.json").read_text())
    # Of 245 final messages 25 failed (0, 10 ... 240) and 220 arrived: 89.795..., rounded.
    assert (metrics["totalSent"], metrics["delivered"], metrics["failed"]) == (245, 220, 25)
    assert metrics["successRate"] == "89.80%"
    # Sent 100 to 344 ms after creation, one each: the mean is their middle.
    assert metrics["averageLatencyMs"] == 222
    manifest = json.loads((partition / "manifest.json").read_text())
    assert (manifest["rows"], manifest["apiTotal"], manifest["complete"]) == (250, 250, True)
    assert (manifest["notInLedger"], manifest["revision"]) == (250, 1)
    assert run.one("export") == {**manifest, "place": str(partition), "new_revision": True}
    # Three pages, and the probe that finds out the profile.
    assert len([r for r in simulator.requests()["requests"] if r["method"] == "GET"]) == 1 + 3
    assert b"12025550143" not in b"".join(file.read_bytes() for file in partition.iterdir())


def test_the_same_day_again_gives_the_same_bytes(runs: DagRuns, partition: Path) -> None:
    runs.run("delivery_report", {"date": DAY})
    first = {name: (partition / name).read_bytes() for name in FILES}
    again = runs.run("delivery_report", {"date": DAY, "profile": "messaging"})

    assert again.state == "success"
    assert {name: (partition / name).read_bytes() for name in FILES} == first


def test_a_run_that_names_no_day_fails_and_says_what_to_do(
    runs: DagRuns, partition: Path, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    run = runs.run("delivery_report", {})
    assert run.state == "failed"
    assert "This run has no data interval, so it names no day. Fill in `date`" in (
        caplog.text + "".join(capfd.readouterr())
    )
    assert not partition.parent.exists()


class Interval:
    """What the task needs of a DAG run."""

    def __init__(self, start: datetime | None, end: datetime | None) -> None:
        self.data_interval_start, self.data_interval_end = start, end


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_INTERVAL = Interval(None, None)


def params(**given: object) -> dict[str, object]:
    """Return the form's values, with changes."""
    return {
        "date": None,
        "allow_incomplete": False,
        "refresh_days": 3,
        "profile": None,
        **given,
    }


def test_a_date_wins_over_the_interval() -> None:
    interval = Interval(NOON - timedelta(days=9), NOON - timedelta(days=8))
    assert interval_of(params(date="2026-02-27"), interval, now=NOON) == (
        datetime(2026, 2, 27, tzinfo=UTC),
        datetime(2026, 2, 28, tzinfo=UTC),
    )


def test_a_day_that_has_just_ended_may_be_reported() -> None:
    start, end = datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert interval_of(params(), Interval(start, end), now=end) == (start, end)


def test_today_is_refused_unless_meant() -> None:
    with pytest.raises(CampaignDefinitionError, match=r"The day 2026-03-01 has not ended.*allow"):
        interval_of(params(date="2026-03-01"), NO_INTERVAL, now=NOON)
    start, _ = interval_of(params(date="2026-03-01", allow_incomplete=True), NO_INTERVAL, now=NOON)
    assert start == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_run_by_hand_may_report_today_and_says_so(
    runs: DagRuns, partition: Path, simulator: SimulatorProcess
) -> None:
    run = runs.run("delivery_report", {"date": today(), "allow_incomplete": True})
    assert run.state == "success"
    manifest = run.one("export")
    assert (manifest["dayEnded"], manifest["complete"], manifest["rows"]) == (False, False, 0)


def test_an_empty_day_is_a_partition_too(runs: DagRuns, partition: Path) -> None:
    run = runs.run("delivery_report", {"date": "2024-03-31"})
    manifest = run.one("export")
    assert (manifest["rows"], manifest["apiTotal"], manifest["complete"]) == (0, 0, True)
    place = Path(manifest["place"])
    assert sorted(file.name for file in place.iterdir()) == sorted(FILES)
    assert (place / "deliveries.jsonl").read_bytes() == b""


def test_a_day_at_a_change_of_clocks_has_24_hours(
    runs: DagRuns, connection: dict[str, object], simulator: SimulatorProcess
) -> None:
    # In Berlin clocks go forward on 31 March 2024, in New York on 10 March; a day is one of UTC.
    hours = [datetime(2024, 3, 31, hour, 30, tzinfo=UTC) for hour in range(24)]
    simulator.load([message(n, "delivered", iso(at)) for n, at in enumerate(hours)])
    run = runs.run("delivery_report", {}, logical_date=datetime(2024, 4, 1, tzinfo=UTC))
    manifest = run.one("export")
    assert (manifest["rows"], manifest["outsideInterval"]) == (24, 0)
    assert manifest["intervalStart"] == "2024-03-31T00:00:00.000Z"
    assert manifest["intervalEnd"] == "2024-04-01T00:00:00.000Z"


def test_a_late_delivery_is_another_revision_that_says_so(
    runs: DagRuns, partition: Path, simulator: SimulatorProcess
) -> None:
    runs.run("delivery_report", {"date": DAY})
    late = day_of_messages()
    late[246] |= {"status": "delivered", "deliveredDate": "2024-01-15T20:00:00.000Z"}
    simulator.reset()
    simulator.load(late)
    manifest = runs.run("delivery_report", {"date": DAY}).one("export")
    assert (manifest["revision"], manifest["new_revision"]) == (2, True)
    assert manifest["changes"] == {
        "sinceRevision": 1,
        "rowsAdded": 0,
        "rowsRemoved": 0,
        "rowsChanged": 1,
        "statuses": {"queued->delivered": 1},
    }


class Run:
    """What deciding on earlier days needs of a DAG run."""

    def __init__(self, run_type: str, start: datetime | None = NOON) -> None:
        self.run_type, self.data_interval_start = run_type, start


@pytest.mark.parametrize(
    ("run", "given", "days"),
    [
        (Run("scheduled"), {}, ["2026-02-28", "2026-02-27", "2026-02-26"]),
        (Run("scheduled"), {"refresh_days": 1}, ["2026-02-28"]),
        (Run("scheduled"), {"refresh_days": 0}, []),
        (Run("scheduled"), {"date": "2026-02-01"}, []),
        (Run("scheduled", None), {}, []),
        (Run("backfill"), {}, []),
        (Run("manual"), {}, []),
    ],
)
def test_only_a_scheduled_run_fetches_earlier_days(
    run: Run, given: dict[str, object], days: list[str]
) -> None:
    assert days_before(params(**given), run) == days


class Events(dict[Any, Any]):
    """The outlet events of a task, as Airflow gives them."""

    def __missing__(self, asset: Any) -> Any:
        self[asset] = SimpleNamespace(extra=None)
        return self[asset]


def test_an_earlier_day_that_changed_is_told_of_and_one_that_did_not_is_skipped(
    partition: Path,
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    run = SimpleNamespace(dag_id="delivery_report", run_id="r1", triggering_user_name=None)
    events = Events()
    given = {"params": params(), "dag_run": run, "outlet_events": events}
    refresh.function(DAY, **given)
    assert {asset.name for asset in events} == {"genesys_deliveries", "genesys_delivery_metrics"}
    (extra,) = {tuple(event.extra.items()) for event in events.values()}
    assert dict(extra) == {
        "day": DAY,
        "revision": 1,
        "rows": 250,
        "complete": True,
        "place": str(partition),
    }
    with pytest.raises(AirflowSkipException, match="2024-01-15 is as it was, at revision 1"):
        refresh.function(DAY, **given)


def test_the_list_is_joined_with_the_ledger_and_teaches_it(
    runs: DagRuns,
    connection: dict[str, object],
    simulator: SimulatorProcess,
    place: Path,
    tmp_path: Path,
) -> None:
    # Nobody receives the simulator's events here, so the ledger stays at `queued` until it learns.
    day = {"date": today(), "allow_incomplete": True}
    campaign = filled_in(tmp_path)
    sent = runs.run("send_campaign", campaign).one("summary")["states"]
    listed = simulator.messages()
    first = runs.run("delivery_report", day).one("export")
    again = runs.run("delivery_report", day).one("export")

    assert first["rows"] == len(listed) == sent["accepted"]
    assert first["notInLedger"] == first["reconciliation"]["statusDiffers"] == 0
    blocked = first["notSent"]["winter"]["blocked"]
    assert sum(blocked.values()) == sent["blocked"]
    with (Path(first["place"]) / "deliveries.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["campaignId"] for row in rows} == {"winter"}
    assert {row["template"] for row in rows} == {"appointment_reminder"}
    assert all(row["language"] and row["templateVersion"] for row in rows)
    learnt = [
        entry for entry in audited(place, "status.changed") if entry["actor"] == "delivery_report"
    ]
    moved = again["reconciliation"]["movedForward"]
    assert moved == len(learnt) >= first["reconciliation"]["movedForward"]
    # What the rows say is what the ledger says: the simulator's messages had moved on by then.
    latest = {row["api_message_id"]: row["status"] for row in ledger_rows(place)}
    with (Path(again["place"]) / "deliveries.csv").open(newline="") as stream:
        assert all(latest[row["messageId"]] == row["status"] for row in csv.DictReader(stream))


def audited(place: Path, action: str) -> list[dict[str, Any]]:
    """Return the audit entries of one kind."""
    with closing(sqlite3.connect(place / "ledger.db")) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM audit_entries WHERE action = ?", [action])
        return [dict(row) for row in found]
