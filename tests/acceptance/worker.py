"""A send task as a process of its own, which can be told to die at a step of the protocol."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.ledger import sends
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.settings import Account
from genesys_cloud.workflows import clock, sending

LIMITS = [Limit(name="account", most=10_000_000)]
TIMEOUT_S = 30.0
"""A machine may be slow. A worker whose ledger fails for good goes on as long as its lease does."""
LEASE = sending.lease_for(TIMEOUT_S, timedelta(seconds=TIMEOUT_S))

STEPS = (
    "before claim", "after claim", "before begin_attempt", "after begin_attempt",
    "before post", "after post", "before record", "after record",
)  # fmt: skip
"""Where a worker can be told to die; each is a boundary between two steps of the protocol."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """One worker's task. `ahead` moves its clock, so that a dead worker's lease need not be
    waited for; `die_at` names a step and how often it is passed before; after `most` posts it
    waits to be killed."""

    ledger_url: str
    simulator_url: str
    state_dir: Path
    shard: Shard
    ahead: timedelta = timedelta()
    die_at: tuple[str, int] | None = None
    most: int | None = None
    batch: int = sending.BATCH
    timeout_s: float = TIMEOUT_S

    def start(self) -> BaseProcess:
        """Start the worker; it shares nothing with this process but the ledger."""
        process = multiprocessing.get_context("fork").Process(target=self.run)
        process.start()
        return process

    def run(self) -> None:
        """Send what is left of the shard."""
        account = Account(
            name="chaos",
            client_id="sim-client",
            client_secret="sim-secret",
            base_url=self.simulator_url,
            timeout_s=self.timeout_s,
        )
        ledger = open_ledger(self.ledger_url)
        client = GenesysClient(account, state_dir=self.state_dir)
        if self.die_at:
            self._arm(client, *self.die_at)
        if self.most is not None:
            vars(client)["send"] = _limited(client.send, self.most)
        sending.send_shard(
            ledger,
            client,
            self.shard,
            limits=LIMITS,
            timeout_s=self.timeout_s,
            start_window=timedelta(seconds=self.timeout_s),
            batch=self.batch,
            clock=clock.Clock(now=lambda: datetime.now(UTC) + self.ahead),
        )
        os._exit(0)

    def _arm(self, client: GenesysClient, step: str, passes: int) -> None:
        when, name = step.split(" ")
        owners: dict[str, Any] = {"post": client, "record": sending}
        owner = owners.get(name, sends)
        attribute = "send" if name == "post" else name
        setattr(owner, attribute, _deadly(getattr(owner, attribute), when, passes))


def _limited(function: Callable[..., Any], most: int) -> Callable[..., Any]:
    """Return the function, whose calls beyond so many never begin."""
    left = iter(range(most))

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(left, None) is None:
            threading.Event().wait()
        return function(*args, **kwargs)

    return call


def _deadly(function: Callable[..., Any], when: str, passes: int) -> Callable[..., Any]:
    """Return the function, which kills its process before or after its call number `passes`."""
    calls = 0

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        mine = calls > passes
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call
