"""Send tasks that are killed, at every step and at random; the observer is the simulator's log.

Set CHAOS_KILLS and CHAOS_RECIPIENTS for a longer run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import select, text

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.tables import messages
from tests.acceptance.worker import LEASE, STEPS, Work
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import PATIENCE_S, SimulatorProcess, wait_for

KILLS = int(os.environ.get("CHAOS_KILLS", "100"))
RECIPIENTS = int(os.environ.get("CHAOS_RECIPIENTS", "2000"))


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(requests_per_minute=10_000_000) as process:
        yield process


@pytest.fixture
def simulator(shared: SimulatorProcess) -> SimulatorProcess:
    shared.reset()
    return shared


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def work_on(
    ledger: Ledger, ledger_url: str, simulator: SimulatorProcess, folder: Path, recipients: int
) -> Work:
    # So many kills would use up an error budget, which is not what is looked at here.
    campaign = replace(CAMPAIGN, error_budget_count=1_000_000)
    shard = only_shard(ledger, plant(ledger, recipients, campaign=campaign))
    ledger.close()  # a forked process must not inherit a connection
    return Work(ledger_url=ledger_url, simulator_url=simulator.url, state_dir=folder, shard=shard)


def check(ledger: Ledger, simulator: SimulatorProcess, recipients: int) -> Counter[str]:
    """Hold the ledger against the simulator's log: nobody twice, nobody lost, no id made up."""
    log = simulator.messages()
    posts = Counter(message["to"] for message in log)
    assert [address for address, count in posts.items() if count > 1] == []
    with ledger.read() as connection:
        rows = connection.execute(
            select(messages.c.address, messages.c.state, messages.c.api_message_id)
        ).all()
    assert len(rows) == recipients
    states = Counter(row.state for row in rows)
    assert set(states) <= {"accepted", "unknown"}
    known = {message["to"]: message["id"] for message in log}
    for row in rows:
        if row.state == "accepted":
            assert known[row.address] == row.api_message_id
    assert set(posts) <= {row.address for row in rows}
    return states


def wait_until_sent(worker: BaseProcess, simulator: SimulatorProcess, count: int) -> None:
    """Wait until so many messages have arrived, or the worker has ended."""
    wait_for(
        lambda: not worker.is_alive() or simulator.stats()["messages"] >= count, bool, pause_s=0.002
    )


@pytest.mark.parametrize("place", [(step, passes) for step in STEPS for passes in (0, 1)], ids=str)
def test_a_kill_at_any_step_sends_to_nobody_twice_and_loses_nobody(
    ledger: Ledger,
    ledger_url: str,
    simulator: SimulatorProcess,
    tmp_path: Path,
    place: tuple[str, int],
) -> None:
    work = work_on(ledger, ledger_url, simulator, tmp_path, 150)
    doomed = replace(work, die_at=place).start()
    doomed.join(PATIENCE_S)
    assert doomed.exitcode == -9
    heir = replace(work, ahead=LEASE + timedelta(seconds=1)).start()
    heir.join(PATIENCE_S)
    assert heir.exitcode == 0
    states = check(ledger, simulator, 150)
    # Only what was being attempted when the worker died can be in doubt: one batch at most.
    assert states["unknown"] <= 64
    if place[0] in {"before claim", "after claim", "before begin_attempt", "after record"}:
        assert states["unknown"] == 0


def test_many_kills_at_random_instants(
    ledger: Ledger, ledger_url: str, simulator: SimulatorProcess, tmp_path: Path
) -> None:
    chance = random.Random(2026)
    # A small batch, for each kill takes one out of the game, and every kill is to find work.
    work = replace(work_on(ledger, ledger_url, simulator, tmp_path, RECIPIENTS), batch=8)
    most = RECIPIENTS // KILLS - work.batch  # however late a kill comes
    killed = 0
    while killed < KILLS:
        ahead = (killed + 1) * (LEASE + timedelta(seconds=1))
        worker = replace(work, ahead=ahead, most=most).start()
        target = simulator.stats()["messages"] + chance.randrange(most)
        wait_until_sent(worker, simulator, target)
        time.sleep(chance.random() * 0.01)
        worker.kill()
        worker.join()
        assert worker.exitcode == -9, "the campaign was over before its kills were"
        killed += 1
    heir = replace(work, ahead=(KILLS + 1) * (LEASE + timedelta(seconds=1))).start()
    heir.join(PATIENCE_S)
    assert heir.exitcode == 0
    check(ledger, simulator, RECIPIENTS)


def test_two_copies_of_one_task_share_its_work(
    ledger: Ledger, ledger_url: str, simulator: SimulatorProcess, tmp_path: Path
) -> None:
    work = work_on(ledger, ledger_url, simulator, tmp_path, 400)
    copies = [work.start() for _ in range(3)]
    for copy in copies:
        copy.join(PATIENCE_S)
    assert [copy.exitcode for copy in copies] == [0, 0, 0]
    assert check(ledger, simulator, 400) == {"accepted": 400}


def stop_between_transactions(pid: int, ledger_url: str) -> None:
    """Stop a process while it holds no lock, beside which nobody could go on."""
    looker = open_ledger(ledger_url, patience_s=1)
    while True:
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        try:
            with looker.write() as connection:
                connection.execute(select(messages.c.id).with_for_update())  # who is being claimed
                connection.execute(text("UPDATE rate_gates SET next_free_us = next_free_us"))
                audit.lock(connection)
        except LedgerUnavailableError:
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.003)
        else:
            looker.close()
            return


def test_a_process_that_was_stopped_past_its_lease_writes_nothing_and_posts_nothing(
    ledger: Ledger, ledger_url: str, simulator: SimulatorProcess, tmp_path: Path
) -> None:
    work = work_on(ledger, ledger_url, simulator, tmp_path, 1_000)
    sleeper = work.start()
    wait_until_sent(sleeper, simulator, 100)
    assert sleeper.pid is not None
    stop_between_transactions(sleeper.pid, ledger_url)
    heir = replace(work, ahead=LEASE + timedelta(seconds=1)).start()
    heir.join(PATIENCE_S)
    assert heir.exitcode == 0
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.join(PATIENCE_S)
    check(ledger, simulator, 1_000)
