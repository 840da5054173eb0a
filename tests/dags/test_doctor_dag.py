"""The DAG `doctor`: the same checks as the command's, in a run."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from genesys_cloud.errors import ConfigurationError
from genesys_cloud.ledger.database import open_ledger
from tests.dags.runs import DagRuns
from tests.simulator.server import SimulatorProcess

DEFAULTS = {"connection": "genesys_cloud_default", "try_receiver": True}


@pytest.fixture
def pool(metadata_database: Path) -> None:
    """Make the pool, as Airflow's scheduler does when it starts."""
    from genesys_cloud.workflows.pool import ensure_pool

    ensure_pool()


def test_where_all_is_well_a_run_says_so_in_counts_and_sends_nothing(
    runs: DagRuns,
    connection: dict[str, object],
    simulator: SimulatorProcess,
    place: Path,
    pool: None,
) -> None:
    open_ledger(f"sqlite:///{place}/ledger.db").close()
    run = runs.run("doctor", {})
    assert run.state == "success"
    found = run.one("look")
    assert set(found) == {"ok", "info", "warning", "wrong"}
    assert found["wrong"] == 0
    assert found["ok"] > 15
    assert simulator.messages() == []


def test_what_is_wrong_fails_the_task_with_names_and_a_table_in_its_log(
    place: Path, pool: None, caplog: pytest.LogCaptureFixture
) -> None:
    from genesys_cloud.workflows.doctor.tasks import look

    (place / "exports").write_text("a file where a folder should be")
    with (
        caplog.at_level(logging.INFO, "genesys_cloud.workflows.doctor.tasks"),
        pytest.raises(ConfigurationError) as caught,
    ):
        look.function(params=DEFAULTS | {"connection": "nowhere"})
    sentence = str(caught.value)
    assert "checks are wrong: connection, exports. The task's log says of each" in sentence
    assert sentence.endswith("GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET.")
    assert "\nexports        wrong    Exports can't be written to" in caplog.text


def test_a_task_that_may_not_ask_airflows_database_says_so() -> None:
    # As the supervisor does it to each task; in a process of its own, for it can't be undone.
    script = """
import airflow.settings
from airflow.sdk.execution_time.supervisor import block_orm_access
block_orm_access()
from genesys_cloud.workflows.doctor.checks_airflow import fan_out, pool
from genesys_cloud.workflows.doctor.checkup import Scene
scene = Scene(conn_id="genesys_cloud_default", try_receiver=False)
print(pool(scene), fan_out(scene))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3_000:]
    assert "not to be seen from here" in ran.stdout
    assert "up to 1,024 tasks" in ran.stdout


def test_a_pool_that_is_missing_is_wrong(metadata_database: Path) -> None:
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from genesys_cloud.workflows.doctor.checks_airflow import pool
    from genesys_cloud.workflows.doctor.checkup import Found, Level, Scene
    from genesys_cloud.workflows.pool import POOL, ensure_pool

    scene = Scene(conn_id="genesys_cloud_default", try_receiver=False)
    ensure_pool()
    assert pool(scene) == f"{POOL} has 4 slots"
    with create_session() as session:
        session.delete(Pool.get_pool(POOL, session=session))
    missing = pool(scene)
    Pool.create_or_update_pool(POOL, slots=0, description="", include_deferred=False)
    empty = pool(scene)
    Pool.create_or_update_pool(POOL, slots=4, description="", include_deferred=False)
    for found, cure in ((missing, "Start the scheduler again"), (empty, "has no slot")):
        assert isinstance(found, Found)
        assert (found.level, cure in found.said) == (Level.WRONG, True)
