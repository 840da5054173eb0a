"""Airflow in this process, with a metadata database, for tests that parse and run DAGs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.airflow_warnings import tolerate_airflows_own
from tests.dags.runs import DagRuns
from tests.simulator.server import SimulatorProcess

REQUESTS_PER_MINUTE = 600_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Filter what Airflow itself warns of."""
    tolerate_airflows_own(items, "/tests/dags/")


@pytest.fixture(scope="session")
def metadata_database() -> Path:
    """Make Airflow's own database, once, and return its file."""
    from airflow.utils import db

    db.initdb()
    return Path(os.environ["AIRFLOW_HOME"]) / "airflow.db"


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[SimulatorProcess]:
    """Run one simulator for the module; nothing but its own log says what it was sent."""
    with SimulatorProcess(requests_per_minute=REQUESTS_PER_MINUTE, speed=1000) as process:
        yield process


@pytest.fixture
def simulator(running_simulator: SimulatorProcess) -> SimulatorProcess:
    """Return a simulator that remembers nothing."""
    running_simulator.reset()
    running_simulator.clear_faults()
    return running_simulator


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give ledger, exports and tokens a folder of the test's own."""
    monkeypatch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    monkeypatch.setenv("GENESYS_EXPORT_URL", str(tmp_path / "exports"))
    monkeypatch.setenv("GENESYS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def connection(
    simulator: SimulatorProcess, place: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    """Point the connection genesys_cloud_default at the simulator, and return it."""
    described: dict[str, object] = {
        "conn_type": "genesys_cloud",
        "host": simulator.url,
        "login": simulator.client_id,
        "password": simulator.client_secret,
        "extra": {"requests_per_minute": REQUESTS_PER_MINUTE},
    }
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD_DEFAULT", json.dumps(described))
    return described


@pytest.fixture
def runs(metadata_database: Path, place: Path) -> Sequence[object]:
    """Return what starts DAG runs here and looks at what they left behind."""
    return DagRuns(metadata_database)
