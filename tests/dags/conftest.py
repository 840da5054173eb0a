"""Airflow in this process, with a metadata database, for tests that parse and run DAGs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.airflow_warnings import tolerate_airflows_own
from tests.dags.contacts import filled_in
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

    check_each_schema_once()
    db.initdb()
    return Path(os.environ["AIRFLOW_HOME"]) / "airflow.db"


def check_each_schema_once() -> None:
    """Remember which schemas are schemas: Airflow has each Param's checked whenever it reads its
    value, two thousand times a run, which is a third of a run's time."""
    from jsonschema import Draft202012Validator

    honest: Callable[..., None] = Draft202012Validator.check_schema
    good: set[str] = set()

    def check(schema: object, **how: object) -> None:
        if (text := repr(schema)) not in good:
            honest(schema, **how)
            good.add(text)

    Draft202012Validator.check_schema = check  # type: ignore[method-assign]


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


@pytest.fixture(scope="session")
def warm(metadata_database: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let a campaign run once: a process's first run takes as long as all that it imports, which
    on a slow machine is longer than the seconds that a test leaves between a plan and its time."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENESYS_LEDGER_URL", f"sqlite:///{folder}/ledger.db")
        DagRuns(metadata_database).run("send_campaign", filled_in(folder, dry_run=True))


@pytest.fixture
def runs(metadata_database: Path, place: Path) -> Sequence[object]:
    """Return what starts DAG runs here and looks at what they left behind."""
    return DagRuns(metadata_database)
