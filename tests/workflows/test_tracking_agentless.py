"""Statuses asked of a simulator that speaks the agentless profile, over days that take seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.ledger import audit, suppressions
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.asking import POLLED
from genesys_cloud.settings import Account
from genesys_cloud.workflows.asking import LEFT_OVER, Asked, ask_client
from genesys_cloud.workflows.tracking import Bounds, Tracked, track
from tests.fast_clock import FastClock
from tests.ledger.planted import only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.awaiting import rows
from tests.workflows.sender import PLENTY, Sender

SPEED = 60_000
PEOPLE = 60
DETAILS = "GET /api/v2/conversations/messages/{id}/details"
LISTS = "POST /api/v2/analytics/conversations/details/query"
OPTED_OUT = "RecipientOptedOut"


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(
        profiles="agentless", requests_per_minute=10_000_000, speed=SPEED, seed=3,
        failure_share=0.5, slow_share=0.3, read_share=0,
    ) as process:  # fmt: skip
        yield process


@pytest.fixture
def sent(sqlite_ledger: Ledger, client: GenesysClient, account: Account) -> Ledger:
    """Send to everybody, and return the ledger."""
    plan = plant(sqlite_ledger, PEOPLE)
    Sender(ledger=sqlite_ledger, client=client, account=account).send(
        only_shard(sqlite_ledger, plan)
    )
    return sqlite_ledger


def ends_of(simulator: SimulatorProcess) -> dict[str, tuple[str, str | None]]:
    """Return, by message id, where the platform's messages stand, and why they failed."""
    simulator.wait_until_quiet()
    ours = {"delivery-success": "delivered", "read": "read"}
    found: dict[str, tuple[str, str | None]] = {}
    headers = {"Authorization": f"Bearer {simulator.token()}"}
    for message in simulator.messages():
        url = f"{simulator.url}/api/v2/conversations/messages/{message['id']}/details"
        details = requests.get(url, headers=headers, timeout=30).json()
        receipts = details["normalizedReceipts"]
        codes = [one["code"] for receipt in receipts for one in receipt.get("reasons") or []]
        found[message["id"]] = (ours.get(details["status"], "failed"), codes[-1] if codes else None)
    return found


def known(ledger: Ledger) -> dict[str, tuple[str, str | None]]:
    return {row.api_message_id: (row.status, row.reason_code) for row in rows(ledger)}


def test_everybody_ends_as_the_platform_says(
    sent: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    clock, bounds = FastClock(speed=SPEED), Bounds.of(PLENTY)
    passes: list[Tracked] = []
    now = clock.now()
    while True:
        done = track(sent, client, now=now, schedule=POLLED, bounds=bounds)
        passes.append(done)
        if done.next_at is None:
            break
        clock.wait_until(done.next_at)
        now = clock.now()
    asked_of = simulator.requests()["counts"]
    found = known(sent)
    assert found == ends_of(simulator)
    assert audit.verify(sent).ok
    # Three days pass; a question every half minute would be 8,640 for each of the slow ones.
    asked = sum(one.asked for one in passes)
    assert PEOPLE <= asked < PEOPLE * 12
    assert sum(asked_of[DETAILS].values()) == asked
    assert_opted_out_are_suppressed(sent)


def assert_opted_out_are_suppressed(ledger: Ledger) -> None:
    gone = sum(code == OPTED_OUT for _, code in known(ledger).values())
    assert gone == len(suppressions.listing(ledger)) > 0


def test_what_nobody_asked_about_is_reconciled_by_lists(
    sent: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    ends = ends_of(simulator)
    before = simulator.requests()["counts"]
    hour, now = timedelta(hours=1), datetime.now(UTC)
    assert ask_client(sent, client, now=now + hour, first=hour) == Asked()
    done = ask_client(sent, client, now=now + hour + LEFT_OVER, first=hour)
    assert done == Asked(moved=PEOPLE)
    assert known(sent) == ends
    assert_opted_out_are_suppressed(sent)
    after = simulator.requests()["counts"]
    # A list of a hundred conversations, and the details of those alone that failed.
    failed = sum(status == "failed" for status, _ in ends.values())
    assert grown(before, after) == {LISTS: 1, DETAILS: failed}


def grown(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> dict[str, int]:
    """Return how many requests were made of each endpoint, of those that were asked at all."""
    made = {name: sum(after[name].values()) - sum(before.get(name, {}).values()) for name in after}
    return {name: count for name, count in made.items() if count}
