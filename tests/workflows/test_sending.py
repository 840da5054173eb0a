"""One send task against the simulator; the observer is the simulator's own log."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import (
    AuthenticationError,
    EndpointMissingError,
    NotSentError,
    PermissionDeniedError,
    ThrottledError,
)
from genesys_cloud.ledger import campaigns
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.plans import Shard
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.settings import Account
from genesys_cloud.workflows.sending import MOST_SETBACKS, Clock, limits_of, send_shard
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess


@dataclass
class Hurried:
    """A clock that runs on its own: sleeping moves it, and takes no time."""

    offset: timedelta = timedelta()
    slept: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.offset += timedelta(seconds=seconds)

    def clock(self) -> Clock:
        return Clock(now=self.now, sleep=self.sleep, jitter=lambda: 1.0)


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(requests_per_minute=10_000_000) as process:
        yield process


@pytest.fixture
def simulator(shared: SimulatorProcess) -> SimulatorProcess:
    shared.reset()
    shared.clear_faults()
    return shared


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def account(simulator: SimulatorProcess) -> Account:
    return Account(
        name="test",
        client_id=simulator.client_id,
        client_secret=simulator.client_secret,
        base_url=simulator.url,
        requests_per_minute=1_000_000,
        timeout_s=2,
    )


@pytest.fixture
def client(account: Account, tmp_path: Path) -> Iterator[GenesysClient]:
    with GenesysClient(account, state_dir=tmp_path) as opened:
        yield opened


@dataclass(kw_only=True)
class Sender:
    ledger: Ledger
    client: GenesysClient
    account: Account
    hurried: Hurried = field(default_factory=Hurried)

    def send(self, shard: Shard) -> Counter[str]:
        limits = limits_of(self.account, CAMPAIGN.campaign_id, None)
        return send_shard(
            self.ledger,
            self.client,
            shard,
            limits=limits,
            timeout_s=self.account.timeout_s,
            clock=self.hurried.clock(),
        )

    def states(self) -> dict[str, int]:
        counted = campaigns.progress(self.ledger, CAMPAIGN.campaign_id).states
        return {state: count for state, count in counted.items() if count}


@pytest.fixture
def sender(ledger: Ledger, client: GenesysClient, account: Account) -> Sender:
    return Sender(ledger=ledger, client=client, account=account)


def recipients(simulator: SimulatorProcess) -> list[str]:
    return sorted(message["to"] for message in simulator.messages())


def test_everybody_gets_exactly_one_message_with_its_key(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 150))
    assert sender.send(shard) == {"accepted": 150}
    assert recipients(simulator) == [f"+1202555{number:04d}" for number in range(1, 151)]
    metadata = [message["metadata"] for message in simulator.messages()]
    assert {one["campaignId"] for one in metadata} == {CAMPAIGN.campaign_id}
    assert len({one["messageKey"] for one in metadata}) == 150
    assert sender.send(shard) == {}


def test_a_rejected_message_does_not_stop_the_others(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults(
        [{"on": "send", "fault": "status", "status": 400, "match": {"to": "+12025550007"}}]
    )
    shard = only_shard(sender.ledger, plant(sender.ledger, 20))
    assert sender.send(shard) == {"accepted": 19, "rejected": 1}
    assert "+12025550007" not in recipients(simulator)


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "drop_after"},
        {"fault": "status", "status": 503, "after_accept": True},
        {"fault": "status", "status": 500, "after_accept": True},
        {"fault": "hang", "delay_s": 4, "after_accept": True},
        {"fault": "html", "after_accept": True},
        {"fault": "empty", "after_accept": True},
        {"fault": "truncate", "after_accept": True},
    ],
    ids=lambda fault: str(fault["fault"]),
)
def test_no_clear_answer_is_unknown_and_is_never_posted_again(
    simulator: SimulatorProcess, sender: Sender, fault: dict[str, object]
) -> None:
    simulator.faults([{"on": "send", "match": {"to": "+12025550003"}, **fault}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    sender.send(shard)
    sender.send(shard)
    assert sender.states() == {"accepted": 9, "unknown": 1}
    assert Counter(recipients(simulator)).most_common(1)[0][1] == 1


def test_a_429_waits_as_told_and_loses_nobody(simulator: SimulatorProcess, sender: Sender) -> None:
    simulator.faults([
        {"on": "send", "fault": "status", "status": 429, "headers": {"Retry-After": "7"},
         "times": 3}
    ])  # fmt: skip
    shard = only_shard(sender.ledger, plant(sender.ledger, 30))
    tally = sender.send(shard)
    assert tally["accepted"] == 30
    assert recipients(simulator) == sorted(set(recipients(simulator)))
    assert max(sender.hurried.slept) > 6


@pytest.mark.parametrize("header", [{}, {"Retry-After": "soon"}])
def test_a_429_without_a_usable_wait_backs_off(
    simulator: SimulatorProcess, sender: Sender, header: dict[str, str]
) -> None:
    simulator.faults(
        [{"on": "send", "fault": "status", "status": 429, "headers": header, "times": 5}]
    )
    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    assert sender.send(shard)["accepted"] == 10


def test_a_storm_of_429_is_left_to_the_tasks_retry_with_nothing_lost(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 429}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    with pytest.raises(ThrottledError):
        sender.send(shard)
    assert sender.states() == {"planned": 5}
    assert len(sender.hurried.slept) >= MOST_SETBACKS - 1
    simulator.clear_faults()
    assert sender.send(shard)["accepted"] == 5


def test_a_long_retry_after_frees_the_task_at_once(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults(
        [{"on": "send", "fault": "status", "status": 429, "headers": {"Retry-After": "600"}}]
    )
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    with pytest.raises(ThrottledError) as caught:
        sender.send(shard)
    assert caught.value.retry_after == 600
    assert sum(sender.hurried.slept) < 60


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, AuthenticationError), (403, PermissionDeniedError), (404, EndpointMissingError)],
)
def test_an_error_that_concerns_everybody_stops_the_task_and_rejects_nobody(
    simulator: SimulatorProcess, sender: Sender, status: int, expected: type[Exception]
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": status}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 40))
    with pytest.raises(expected):
        sender.send(shard)
    assert sender.states() == {"planned": 40}
    assert recipients(simulator) == []


def test_a_token_revoked_in_mid_flight_is_renewed(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "revoke_token", "times": 1}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 60))
    assert sender.send(shard)["accepted"] == 60
    assert len(set(recipients(simulator))) == len(recipients(simulator)) == 60


def test_an_unreachable_host_loses_nobody(ledger: Ledger, account: Account, tmp_path: Path) -> None:
    away = replace(account, base_url="http://127.0.0.1:1")
    shard = only_shard(ledger, plant(ledger, 5))
    with GenesysClient(away, state_dir=tmp_path / "away") as client:
        sender = Sender(ledger=ledger, client=client, account=away)
        with pytest.raises(NotSentError, match=r"127\.0\.0\.1"):
            sender.send(shard)
        assert sender.states() == {"planned": 5}


def test_a_pause_is_obeyed_within_one_batch(simulator: SimulatorProcess, sender: Sender) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 300))
    hurried, seen = sender.hurried, []

    def pause_once() -> datetime:
        if len(simulator.messages()) >= 64 and not seen:
            seen.append(len(simulator.messages()))
            campaigns.change_state(
                sender.ledger, CAMPAIGN.campaign_id, "paused", reason="stop", actor="tester",
                now=hurried.now(),
            )  # fmt: skip
        return hurried.now()

    slow = Clock(now=pause_once, sleep=hurried.sleep)
    limits = [Limit(name="account", per_minute=1_000_000)]
    send_shard(sender.ledger, sender.client, shard, limits=limits, timeout_s=2, clock=slow)
    assert 64 <= len(recipients(simulator)) <= seen[0] + 64
    assert sender.states()["planned"] == 300 - len(recipients(simulator))
    campaigns.change_state(
        sender.ledger, CAMPAIGN.campaign_id, "active", reason="go", actor="tester",
        now=hurried.now(),
    )  # fmt: skip
    sender.send(shard)
    assert len(set(recipients(simulator))) == len(recipients(simulator)) == 300


def test_the_campaigns_own_limit_spaces_the_sends(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 20))
    limits = limits_of(sender.account, CAMPAIGN.campaign_id, 1_200)
    began = datetime.now(UTC)
    send_shard(sender.ledger, sender.client, shard, limits=limits, timeout_s=2)
    requests = simulator.requests()["requests"]
    posts = [r["at"] for r in requests if r["path"].endswith("/messages") and r["method"] == "POST"]
    # 20 messages at 20 a second: the last leaves 19 intervals of 50.5 ms, 0.96 s, after the first
    # slot. The first request may leave late, for it fetches the token.
    assert posts[-1] - posts[0] >= 0.7
    assert posts[0] >= began.timestamp()


def test_what_a_stopped_process_left_is_taken_over(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    from genesys_cloud.ledger import sends

    shard = only_shard(sender.ledger, plant(sender.ledger, 10))
    limits = limits_of(sender.account, CAMPAIGN.campaign_id, None)
    lease = timedelta(seconds=90)
    now = sender.hurried.now()
    dead = sends.claim(sender.ledger, shard, limits, most=3, now=now, lease=lease)
    sends.begin_attempt(sender.ledger, dead, now=now, lease=lease)
    sends.claim(sender.ledger, shard, limits, most=2, now=now, lease=lease)
    assert sender.send(shard) == {"accepted": 7, "unknown": 3}
    assert len(recipients(simulator)) == 7


def test_what_is_logged_holds_no_address(
    simulator: SimulatorProcess, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.faults([
        {"on": "send", "fault": "status", "status": 429, "headers": {"Retry-After": "1"},
         "times": 1},
        {"on": "send", "fault": "status", "status": 400, "match": {"to": "+12025550002"},
         "body": {"message": "no route to +12025550002"}},
    ])  # fmt: skip
    caplog.set_level("DEBUG")
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    sender.send(shard)
    assert "waits" in caplog.text
    assert "1202555" not in caplog.text
    assert json.dumps(simulator.client_secret) not in caplog.text
