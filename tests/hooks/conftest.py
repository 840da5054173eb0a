"""An environment without connections, and a simulator, for tests of the hook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow_warnings import tolerate_airflows_own
from tests.simulator.server import SimulatorProcess


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Filter what Airflow itself warns of."""
    tolerate_airflows_own(items, "/tests/hooks/")


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    """Run a simulator that knows the usual client."""
    with SimulatorProcess() as process:
        yield process


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep tokens in a folder of the test's own."""
    monkeypatch.setenv("GENESYS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"
