"""The DAG delivery_report, run for days whose messages the simulator was given."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.workflows.report_tasks import interval_of
from tests.dags.runs import DagRuns
from tests.simulator.server import SimulatorProcess

DAY = "2024-01-15"
FILES = ("deliveries.csv", "deliveries.parquet", "manifest.json", "metrics.json", "report.html")


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
    assert run.one("export") == {**manifest, "place": str(partition)}
    assert len([r for r in simulator.requests()["requests"] if r["method"] == "GET"]) == 3
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
    return {"date": None, "allow_incomplete": False, "profile": None, **given}


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
