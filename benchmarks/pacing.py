"""How much of a rate limit processes use that share its gate, and whether they ever exceed it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks import accounts, ledgers
from benchmarks.fresh import SPAWN
from benchmarks.scale import Scale
from benchmarks.servers import Server
from benchmarks.table import Table
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.outbound.pacing import TOLERANCE, Limit
from genesys_cloud.workflows.sending import send_shard

TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """A limit, and for how many seconds processes send at it."""

    name: str
    limit: Limit
    seconds: float

    @property
    def per_second(self) -> float:
        """How many requests a second the limit allows."""
        return self.limit.most / self.limit.period_s


PACES = (
    Pace(name="300 a minute", limit=Limit(name="account", most=300), seconds=150),
    Pace(name="50 a second", limit=Limit(name="account", most=50, period_s=1), seconds=30),
)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many processes share a gate, and at which paces."""

    processes: Sequence[int]
    paces: Sequence[Pace] = PACES


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one process sends, and where."""

    pace: Pace
    shard: Shard
    ledger_url: str
    api_url: str
    state_dir: Path


SIZES = {
    Scale.FULL: Sizes(processes=(1, 4, 8)),
    Scale.QUICK: Sizes(processes=(1, 4), paces=PACES[1:]),
    Scale.TINY: Sizes(processes=(2,), paces=[replace(PACES[1], seconds=0.4)]),
}


def figure(sizes: Sizes, folder: Path) -> Table:
    """Send at each pace from each number of processes, and count by the API's own log."""
    rows = []
    for pace in sizes.paces:
        for processes in sizes.processes:
            place = folder / f"{pace.name}, {processes}"
            place.mkdir()
            count = round(pace.per_second * pace.seconds)
            rows.append(_row(pace, processes, _arrivals(pace, processes, count, place)))
    return Table(
        title="Sending at a limit that processes share",
        columns=(
            "limit", "processes", "sent", "seconds", "use of the limit", "window", "allowed in it",
            "most in any",
        ),
        rows=rows,
        notes=(
            "Instants are the API's, when a request had arrived. The gate's interval is longer by "
            f"its tolerance, so {1 / (1 + TOLERANCE):.1%} is all that can be used; the first tenth "
            "of a run is not in that share.",
        ),
    )  # fmt: skip


def _arrivals(pace: Pace, processes: int, count: int, place: Path) -> list[float]:
    with (
        Server("benchmarks.lean_api") as api,
        ledgers.open_ledgers(place, [ledgers.SQLITE]) as opened,
    ):
        ledger = opened[ledgers.SQLITE]
        cut = ledgers.shards(ledger, ledgers.occurrence(ledger, count), -(-count // processes))
        accounts.client(api.url, place).close()  # the token, which the processes share
        ledger_url = ledgers.url_of(ledger)
        _run_all(
            Task(pace=pace, shard=shard, ledger_url=ledger_url, api_url=api.url, state_dir=place)
            for shard in cut
        )
        return sorted(instant for _, instant in accounts.take_log(api.url))


def _run_all(tasks: Iterable[Task]) -> None:
    every = list(tasks)
    ready = SPAWN.Barrier(len(every))
    workers = [SPAWN.Process(target=send, args=(task, ready)) for task in every]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a sending process failed; its error is printed above")


def send(task: Task, ready: Barrier) -> None:
    """Send one shard as a send task does, once all processes are ready."""
    ledger = open_ledger(task.ledger_url)
    with accounts.client(task.api_url, task.state_dir) as client:
        ready.wait(TIMEOUT_S)
        send_shard(ledger, client, task.shard, limits=[task.pace.limit], timeout_s=TIMEOUT_S)
    ledger.close()


def most_within(window_s: float, arrivals: Sequence[float]) -> int:
    """Return the highest count in any half-open window; `arrivals` are in order."""
    return max(
        bisect_left(arrivals, first + window_s) - place for place, first in enumerate(arrivals)
    )


def _row(pace: Pace, processes: int, arrivals: Sequence[float]) -> list[str]:
    # Without the start, where a message that leaves late makes a short run look shorter.
    counted = arrivals[len(arrivals) // 10 :]
    lasted = counted[-1] - counted[0]
    use = (len(counted) - 1) / (lasted * pace.per_second)
    return [
        pace.name,
        str(processes),
        f"{len(arrivals):,}",
        f"{arrivals[-1] - arrivals[0]:.1f}",
        f"{use:.1%}",
        f"{pace.limit.period_s} s",
        str(pace.limit.most),
        str(most_within(pace.limit.period_s, arrivals)),
    ]
