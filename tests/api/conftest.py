from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.settings import Account
from tests.simulator.server import SimulatorProcess


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client heeds proxies and certificates of the environment; these tests have none."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(requests_per_minute=1_000_000) as simulator:
        yield simulator


@pytest.fixture
def simulator(simulator_process: SimulatorProcess) -> SimulatorProcess:
    simulator_process.reset()
    return simulator_process


MakeClient = Callable[..., GenesysClient]


@pytest.fixture
def sleeps() -> list[float]:
    """The pauses that a client would have made, in seconds."""
    return []


@pytest.fixture
def make_client(tmp_path: Path, sleeps: list[float]) -> Iterator[MakeClient]:
    """Makes clients that do not sleep, and closes them; accounts are those of the simulator."""
    made: list[GenesysClient] = []

    def make(url: str, *, account: dict[str, Any] | None = None, **options: Any) -> GenesysClient:
        fields = {
            "name": "genesys_test",
            "client_id": SimulatorProcess.client_id,
            "client_secret": SimulatorProcess.client_secret,
            "base_url": url,
            "timeout_s": 60.0,
            "profile": "messaging",
        }
        options = {
            "state_dir": tmp_path / "state",
            "sleep": sleeps.append,
            "rng": lambda: 0.0,
        } | options
        client = GenesysClient(Account(**(fields | (account or {}))), **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(simulator: SimulatorProcess, make_client: MakeClient) -> GenesysClient:
    return make_client(simulator.url)


@pytest.fixture(scope="session")
def platform_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(requests_per_minute=1_000_000, profiles="agentless") as simulator:
        yield simulator


@pytest.fixture
def platform(platform_process: SimulatorProcess) -> SimulatorProcess:
    """A simulator that serves the platform's own API and nothing else."""
    platform_process.reset()
    return platform_process


@pytest.fixture
def agentless(platform: SimulatorProcess, make_client: MakeClient) -> GenesysClient:
    """A client of that simulator whose connection pins the profile."""
    return make_client(platform.url, account={"profile": "agentless"})
