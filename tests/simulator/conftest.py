"""One simulator for the tests that need no options of their own, emptied between tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.caller import Caller
from tests.simulator.platform_caller import Platform
from tests.simulator.server import SimulatorProcess


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[SimulatorProcess]:
    """Run one simulator for the whole session; messages live 1000 times as fast."""
    with SimulatorProcess(speed=1000, requests_per_minute=100_000) as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: SimulatorProcess) -> SimulatorProcess:
    """Return a simulator that remembers nothing."""
    running_simulator.reset()
    return running_simulator


@pytest.fixture
def caller(simulator: SimulatorProcess) -> Iterator[Caller]:
    """Return a client of that simulator, with every scope."""
    client = Caller(simulator)
    yield client
    client.close()


@pytest.fixture
def platform(simulator: SimulatorProcess) -> Iterator[Platform]:
    """Return a client of that simulator's agentless profile."""
    client = Platform(simulator)
    yield client
    client.close()
