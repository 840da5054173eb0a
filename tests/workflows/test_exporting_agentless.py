"""A day of the agentless profile is exported whole, by query and by job, whatever totals say."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.conversation_listing import DEFAULT_BOUNDS, Bounds, listing
from genesys_cloud.ledger import delivered
from genesys_cloud.outbound.deliveries import LedgerFact
from genesys_cloud.reporting.export import export_day
from genesys_cloud.reporting.manifest import Manifest
from genesys_cloud.reporting.partitions import build_partition
from genesys_cloud.settings import Account
from genesys_cloud.workflows.exporting import ledger_side
from genesys_cloud.workflows.joining import Joined
from tests.dags.clocks import today
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Sender

START = datetime(2026, 3, 15, tzinfo=UTC)
END = START + timedelta(days=1)
BY_JOB = Bounds(large=100)
JOBS = "POST /api/v2/analytics/conversations/details/jobs"


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(
        requests_per_minute=10_000_000, profiles="agentless", job_seconds=0.1, speed=1000
    ) as process:
        yield process


@pytest.fixture(scope="module")
def vague() -> Iterator[SimulatorProcess]:
    """A simulator whose totals are off by up to a tenth, and whose pages shift."""
    with SimulatorProcess(
        requests_per_minute=10_000_000, profiles="agentless", approximate_totals=0.1,
        shifting_pages=True, datalake_lag_s=100_000_000,
    ) as process:  # fmt: skip
        yield process


@pytest.fixture
def account(simulator: SimulatorProcess, account: Account) -> Account:
    return replace(account, profile="agentless")


def load(simulator: SimulatorProcess, count: int) -> None:
    """Have the simulator know a day of conversations, one each side of it beside."""
    statuses = ["delivery-success", "delivery-failed", "read", "sent", "queued"]
    shown = [
        {
            "conversationId": f"c{number:05}",
            "from": "+13175550100",
            "to": f"+1317556{number:04}",
            "start": (START + timedelta(seconds=number)).isoformat(),
            "changed": (START + timedelta(seconds=number + 2)).isoformat(),
            "status": statuses[number % 5],
            "errorCode": "30005" if number % 5 == 1 else None,
        }
        for number in range(count)
    ]
    for name, start in (("before", START - timedelta(seconds=1)), ("after", END)):
        moment = start.isoformat()
        shown.append(shown[0] | {"conversationId": name, "start": moment, "changed": moment})
    answer = requests.post(f"{simulator.url}/_sim/conversations", json=shown, timeout=30)
    answer.raise_for_status()


def no_facts(ids: object) -> Mapping[str, LedgerFact]:
    return {}


@pytest.fixture
def export(client: GenesysClient, tmp_path: Path) -> Callable[..., tuple[Any, dict[str, bytes]]]:
    """Export the day by a client's list, and return what was counted and the files."""

    def run(name: str, bounds: Bounds = DEFAULT_BOUNDS) -> tuple[Any, dict[str, bytes]]:
        target = tmp_path / name
        target.mkdir()
        pages = listing(client.session, START, END, bounds=bounds, ahead=2)
        done = export_day(pages, no_facts, target, START, END)
        return done, {file.name: file.read_bytes() for file in target.iterdir()}

    return run


def test_query_and_job_give_the_same_files(
    simulator: SimulatorProcess, export: Callable[..., Any]
) -> None:
    load(simulator, 2_350)  # more than one page of a job's results
    by_query, files = export("query")
    assert JOBS not in simulator.requests()["counts"]
    by_job, same = export("job", BY_JOB)
    assert simulator.requests()["counts"][JOBS] == {"202": 1}
    assert same == files
    assert (by_query.rows, by_query.total_is_approximate, by_query.passes) == (2_350, True, 1)
    assert (by_job.rows, by_job.total_is_approximate, by_job.passes) == (2_350, False, 1)
    assert by_query.api_total == by_job.api_total == 2_350
    rows = list(csv.DictReader(files["deliveries.csv"].decode().splitlines()))
    assert [row["status"] for row in rows[:5]] == ["delivered", "failed", "read", "sent", "queued"]
    assert (rows[0]["deliveryLatencyMs"], rows[1]["errorCode"]) == ("2000", "30005")
    assert (rows[3]["latencyMs"], rows[4]["latencyMs"]) == ("2000", "")


def test_vague_totals_and_shifting_pages_make_a_whole_day(
    vague: SimulatorProcess, account: Account, tmp_path: Path
) -> None:
    vague.reset()
    passes = set()
    with GenesysClient(replace(account, base_url=vague.url), state_dir=tmp_path) as client:
        for count in (1, 40, 250, 430, 560):
            vague.reset()
            load(vague, count)
            root = tmp_path / str(count)
            root.mkdir()
            pages = listing(client.session, START, END, bounds=BY_JOB)
            manifest = build_partition(pages, no_facts, root, START, END)
            assert manifest.rows == count
            assert (manifest.complete, manifest.total_is_approximate) == (True, True)
            passes.add(manifest.passes)
        assert JOBS not in vague.requests()["counts"]
    assert passes == {1, 2}, "totals were both too low and too high"


@pytest.fixture
def one_day() -> None:
    """Begin where the day does not end before the test does."""
    today()


@pytest.mark.usefixtures("one_day")
def test_what_was_sent_is_in_the_ledger_and_on_the_list(
    simulator: SimulatorProcess, sender: Sender, tmp_path: Path
) -> None:
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 150)))
    simulator.wait_until_quiet()
    manifest = export_today(sender, tmp_path)
    counts = manifest.reconciliation
    assert (manifest.rows, manifest.not_in_ledger) == (150, 0)
    assert (counts.in_api_not_in_ledger, counts.in_ledger_not_in_api) == (0, 0)
    lines = (tmp_path / "deliveries").glob("*/deliveries.jsonl")
    rows = [json.loads(line) for file in lines for line in file.read_text().splitlines()]
    # Where a failure says too little, Genesys is asked first, and the two differ until then.
    rule = sender.ledger.failures.rule
    failed = sum(row["status"] == "failed" and not rule(row["errorCode"]) for row in rows)
    assert failed < 150
    assert (counts.moved_forward, counts.status_differs) == (150 - failed, failed)
    assert {row["messageId"] for row in rows} == {one["id"] for one in simulator.messages()}
    assert {(row["campaignId"], row["segments"]) for row in rows} == {(CAMPAIGN.campaign_id, 1)}


@pytest.mark.usefixtures("one_day")
def test_what_somebody_else_sent_is_not_in_the_ledger(
    simulator: SimulatorProcess, sender: Sender, tmp_path: Path
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 3))
    sender.send(shard)
    moment = datetime.now(UTC).isoformat()
    strange = {"from": "+13175550100", "to": "+13175560001", "start": moment}
    requests.post(f"{simulator.url}/_sim/conversations", json=[strange], timeout=30)
    manifest = export_today(sender, tmp_path)
    counts = manifest.reconciliation
    assert (counts.in_api_not_in_ledger, counts.in_ledger_not_in_api) == (1, 0)


@pytest.mark.usefixtures("one_day")
def test_messages_that_share_a_conversation_are_missed_on_neither_side(
    simulator: SimulatorProcess, sender: Sender, tmp_path: Path
) -> None:
    active = replace(CAMPAIGN, use_active_conversation=True)
    opened = {"channel": "sms", "from": "+12025550100", "to": "+12025550001"}
    requests.post(f"{simulator.url}/_sim/conversations/open", json=opened, timeout=30)
    for occurrence in ("first", "second"):
        plan = plant(sender.ledger, 2, occurrence=occurrence, campaign=active)
        sender.send(only_shard(sender.ledger, plan))
    assert sender.states() == {"accepted": 4}
    manifest = export_today(sender, tmp_path)
    # Two messages went into the open conversation, and are one session of it.
    assert manifest.rows == 3
    assert manifest.reconciliation.in_ledger_not_in_api == 0


def export_today(sender: Sender, root: Path) -> Manifest:
    """Export the running day as the delivery report does."""
    now = datetime.now(UTC)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = start + timedelta(days=1)
    return build_partition(
        Joined(sender.client.listing(start, end), sender.ledger),
        lambda ids: delivered.find(sender.ledger, ids),
        root,
        start,
        end,
        ledger=ledger_side(sender.ledger, start, end, now=now),
        day_ended=False,
    )
