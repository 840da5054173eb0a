from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.settings import Account
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Sender


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
def sqlite_ledger(tmp_path: Path) -> Iterator[Ledger]:
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
        timeout_s=60,
    )


@pytest.fixture
def client(account: Account, tmp_path: Path) -> Iterator[GenesysClient]:
    with GenesysClient(account, state_dir=tmp_path) as opened:
        yield opened


@pytest.fixture
def sender(sqlite_ledger: Ledger, client: GenesysClient, account: Account) -> Sender:
    return Sender(ledger=sqlite_ledger, client=client, account=account)


@pytest.fixture
def impatient(sqlite_ledger: Ledger, account: Account, tmp_path: Path) -> Iterator[Sender]:
    """A sender that a host which hangs for 15 seconds keeps waiting for too long."""
    hasty = replace(account, timeout_s=5)
    with GenesysClient(hasty, state_dir=tmp_path) as opened:
        yield Sender(ledger=sqlite_ledger, client=opened, account=hasty)
