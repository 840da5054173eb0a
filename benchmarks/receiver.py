"""How many status events a second the standalone receiver counts, durably, and how soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import update

from benchmarks import baseline_receivers, ledgers, load
from benchmarks.load import Answers
from benchmarks.scale import Scale
from benchmarks.servers import Server
from benchmarks.table import Table
from benchmarks.timing import Contestant, Cost, cpu, interleave, seconds
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages
from tests.webhook.receiver import SECRET

FASTAPI = "FastAPI route, in memory"
OURS = "this receiver, in memory"
PLAIN = "plain app, one commit an event"
ONE_COMMIT = "this receiver without group commit"

A_SECOND = 1_000.0
"""The pace of the second part."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Messages in each run, connections, how often each receiver runs, and seconds at a pace."""

    messages: int
    connections: int
    rounds: int
    paced_s: float
    databases: Sequence[str] = ledgers.BOTH


SIZES = {
    Scale.FULL: Sizes(messages=2_000, connections=32, rounds=5, paced_s=8),
    Scale.QUICK: Sizes(messages=1_000, connections=32, rounds=3, paced_s=3),
    Scale.TINY: Sizes(
        messages=20, connections=8, rounds=1, paced_s=0.05, databases=(ledgers.SQLITE,)
    ),
}

Receivers = Mapping[str, tuple[Server, Ledger | None]]


def figure(sizes: Sizes, folder: Path) -> Table:
    """Compare the receiver with the same in memory, with plain apps, and with one commit each."""
    answers: dict[str, list[Answers]] = {}
    with receivers(folder, sizes.databases) as running:
        contestants: dict[str, Contestant] = {}
        for name, (server, ledger) in running.items():
            answers[name] = []
            contestants[name] = _run(server, ledger, sizes, answers[name])
        costs = interleave(contestants, sizes.rounds)
        # Who commits one by one can't keep the pace up, and would only make everybody wait.
        paced = {
            name: _at_a_pace(*each, sizes) for name, each in running.items() if name != ONE_COMMIT
        }
    return _table(sizes, costs, answers, paced)


@contextmanager
def receivers(folder: Path, databases: Sequence[str]) -> Iterator[Receivers]:
    """Run the receivers as long as the block, each in a process of its own."""
    with ExitStack() as stack:
        opened = stack.enter_context(ledgers.open_ledgers(folder, databases))
        (alone,) = stack.enter_context(ledgers.open_ledgers(folder, [ledgers.SQLITE])).values()
        baseline = baseline_receivers.__name__

        def start(module: str, *arguments: str, ledger: Ledger | None = None) -> Server:
            server = Server(module, *arguments, env=environment(folder, ledger))
            stack.callback(server.stop)
            return server

        running: Receivers = {
            FASTAPI: (start(baseline, baseline_receivers.FASTAPI_IN_MEMORY), None),
            OURS: (start(baseline, baseline_receivers.OURS_IN_MEMORY), None),
            PLAIN: (start(baseline, baseline_receivers.PLAIN), None),
            ONE_COMMIT: (start(baseline, baseline_receivers.ONE_COMMIT, ledger=alone), alone),
            **{
                f"this receiver, {name}": (start("genesys_cloud.webhook", ledger=ledger), ledger)
                for name, ledger in opened.items()
            },
        }
        for server, _ in running.values():
            server.wait()  # all of them start at once
        yield running


def environment(folder: Path, ledger: Ledger | None) -> dict[str, str]:
    """Return a receiver's environment."""
    env = {
        "GENESYS_WEBHOOK_SECRET": SECRET,
        "GENESYS_WEBHOOK_SPOOL": f"{folder}/spool",
        "PLAIN_DATABASE": f"{folder}/plain.db",
    }
    return env if ledger is None else env | {"GENESYS_LEDGER_URL": ledgers.url_of(ledger)}


def _run(server: Server, ledger: Ledger | None, sizes: Sizes, answers: list[Answers]) -> Contestant:
    runs = iter(range(sizes.rounds))

    def run() -> Cost:
        ready = _requests(ledger, f"run{next(runs)}", sizes.messages)
        before = server.cpu_s()
        answered = load.post(server.port, ready, sizes.connections)
        answers.append(answered)
        return Cost(seconds=answered.seconds, cpu_s=server.cpu_s() - before)

    return run


def _at_a_pace(server: Server, ledger: Ledger | None, sizes: Sizes) -> Answers:
    """Return the answers at a pace."""
    ready = _requests(ledger, "paced", int(A_SECOND * sizes.paced_s / len(load.STATUSES)))
    return load.post(server.port, ready, sizes.connections, a_second=A_SECOND)


def _requests(ledger: Ledger | None, prefix: str, count: int) -> list[bytes]:
    if ledger is not None:
        accept(ledger, prefix, count)
    return load.requests(load.events([f"{prefix}-{number}" for number in range(1, count + 1)]))


def accept(ledger: Ledger, prefix: str, count: int) -> None:
    """Have messages in the ledger that Genesys accepted, with ids PREFIX-1, PREFIX-2 and so on."""
    plan = ledgers.occurrence(ledger, count)
    with ledger.write() as connection:
        connection.execute(
            update(messages)
            .where(messages.c.occurrence_id == plan.occurrence_id)
            .values(
                state="accepted",
                status="queued",
                api_message_id=prefix + "-" + messages.c.row_number.cast(messages.c.text.type),
            )
        )


def _table(
    sizes: Sizes,
    costs: Mapping[str, Sequence[Cost]],
    answers: Mapping[str, Sequence[Answers]],
    paced: Mapping[str, Answers],
) -> Table:
    rows = []
    for name, each in costs.items():
        count = len(answers[name][0].took)
        rows.append(
            [
                name,
                f"{count / seconds(each):,.0f}",
                _share(each, costs[FASTAPI]),
                _share(each, costs[OURS]),
                *(_ms(median(one.percentile(p) for one in answers[name])) for p in (0.5, 0.99)),
                f"{1e3 * cpu(each) / count:.2f}",
                *(_ms(one.percentile(p)) if (one := paced.get(name)) else "-" for p in (0.5, 0.99)),
            ]
        )
    return Table(
        title="Status events through a receiver",
        columns=(
            "", "events a second", "of the FastAPI route", "of itself in memory", "p50 ms",
            "p99 ms", "CPU ms an event", "p50 ms at 1,000/s", "p99 ms at 1,000/s",
        ),
        rows=rows,
        notes=(
            f"{count:,} signed events a run, a tenth of them repeated, over {sizes.connections} "
            f"connections, each with one request at a time; median of {sizes.rounds} interleaved "
            "runs. The sender takes part of the same processors; CPU is the receiver's own, to "
            "10 ms.",
            f"At 1,000/s: {sizes.paced_s:g} s of events; a time counts from when its event was "
            "due.",
            "In memory: the same server, signature and parser, and a set in place of the ledger. "
            "The plain app commits as durably, and keeps no audit trail and no order of states.",
        ),
    )  # fmt: skip


def _share(costs: Sequence[Cost], others: Sequence[Cost]) -> str:
    """Return the median, over the rounds, of the rate beside another's."""
    pairs = zip(costs, others, strict=True)
    return f"{median(other.seconds / one.seconds for one, other in pairs):.0%}"


def _ms(moment: float) -> str:
    return f"{1e3 * moment:.1f}"
