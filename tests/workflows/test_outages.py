"""Obstacles that last a minute: the send task sits them out, and nobody is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import AuthenticationError, TokenRefusedError
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.settings import Account
from genesys_cloud.workflows.sending import MOST_SETBACKS
from tests.closed_port import closed_port
from tests.ledger.planted import only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Hurried, Sender

REFUSES = {"on": "send", "fault": "status", "status": 401}
MINUTE = timedelta(minutes=1)


@dataclass
class UntilAMinuteIsOver(Hurried):
    """A hurried clock that ends an outage a minute after the first sleep."""

    cure: Callable[[], object] = lambda: None
    cured: bool = field(default=False)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.offset >= MINUTE and not self.cured:
            self.cured = True
            self.cure()


def recipients(simulator: SimulatorProcess) -> list[str]:
    return sorted(message["to"] for message in simulator.messages())


def numbers(count: int) -> list[str]:
    return [f"+1202555{number:04d}" for number in range(1, count + 1)]


@pytest.mark.parametrize("at_first", [0, 70])
def test_a_minute_of_401_is_sat_out(
    simulator: SimulatorProcess, sender: Sender, at_first: int
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 150))
    fault = REFUSES | ({"match": {"to": f"+1202555{at_first:04d}"}} if at_first else {})
    simulator.faults([fault])
    sender.hurried = UntilAMinuteIsOver(cure=simulator.clear_faults)
    assert sender.send(shard) == {"accepted": 150}
    assert recipients(simulator) == numbers(150)


def test_a_login_host_that_refuses_in_mid_run_is_sat_out(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    shard = only_shard(sender.ledger, plant(sender.ledger, 150))
    sender.hurried = UntilAMinuteIsOver(cure=simulator.clear_faults)
    sender.client.authenticate()
    simulator.faults([
        {"on": "send", "fault": "revoke_token", "times": 1, "match": {"to": "+12025550070"}},
        {"on": "token", "fault": "status", "status": 401},
    ])  # fmt: skip
    assert sender.send(shard) == {"accepted": 150}
    assert recipients(simulator) == numbers(150)


def test_wrong_credentials_end_the_task_at_once(
    simulator: SimulatorProcess, sqlite_ledger: Ledger, account: Account, tmp_path: Path
) -> None:
    wrong = replace(account, client_secret="wrong")
    shard = only_shard(sqlite_ledger, plant(sqlite_ledger, 5))
    with GenesysClient(wrong, state_dir=tmp_path / "wrong") as client:
        sender = Sender(ledger=sqlite_ledger, client=client, account=wrong)
        with pytest.raises(AuthenticationError, match="OAuth client"):
            sender.send(shard)
    assert sender.hurried.slept == []
    assert sender.states() == {"planned": 5}


def test_a_token_that_is_never_taken_ends_the_task_after_all_its_patience(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([REFUSES])
    shard = only_shard(sender.ledger, plant(sender.ledger, 5))
    with pytest.raises(TokenRefusedError, match="region"):
        sender.send(shard)
    assert len(sender.hurried.slept) == MOST_SETBACKS - 1
    assert sender.states() == {"planned": 5}


def test_a_connection_that_is_refused_for_a_minute_is_sat_out(
    sqlite_ledger: Ledger, account: Account, tmp_path: Path
) -> None:
    shard = only_shard(sqlite_ledger, plant(sqlite_ledger, 100))
    with closed_port() as port, ExitStack() as stack:
        away = replace(account, base_url=f"http://127.0.0.1:{port}")
        client = stack.enter_context(GenesysClient(away, state_dir=tmp_path / "away"))
        late = SimulatorProcess(port=port, requests_per_minute=10_000_000)
        hurried = UntilAMinuteIsOver(cure=lambda: stack.enter_context(late))
        sender = Sender(ledger=sqlite_ledger, client=client, account=away, hurried=hurried)
        assert sender.send(shard) == {"accepted": 100}
        assert recipients(late) == numbers(100)
