"""How many status events a second the standalone receiver counts, durably."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from benchmarks import baseline_receivers, ledgers, load
from benchmarks.scale import Scale
from benchmarks.servers import Server
from benchmarks.table import Table
from benchmarks.timing import Contestant, Cost, cpu, interleave, seconds, times_as_long
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages
from tests.webhook.receiver import SECRET

PLAIN = "plain app, one commit an event"
ONE_COMMIT = "this receiver without group commit"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Messages in each run, requests in flight, and how often each receiver runs."""

    messages: int
    in_flight: int
    rounds: int
    databases: Sequence[str] = ledgers.BOTH


SIZES = {
    Scale.FULL: Sizes(messages=2_000, in_flight=64, rounds=5),
    Scale.QUICK: Sizes(messages=500, in_flight=64, rounds=3),
    Scale.TINY: Sizes(messages=20, in_flight=8, rounds=1, databases=(ledgers.SQLITE,)),
}


def figure(sizes: Sizes, folder: Path) -> Table:
    """Compare the receiver with itself without group commit, and with plain apps."""
    answers: dict[str, Counter[str]] = {}
    with _receivers(folder, sizes.databases) as receivers:
        contestants: dict[str, Contestant] = {}
        for name, (server, ledger) in receivers.items():
            answers[name] = Counter()
            contestants[name] = _run(server, ledger, sizes, answers[name])
        costs = interleave(contestants, sizes.rounds)
    return _table(sizes, costs, answers)


@contextmanager
def _receivers(
    folder: Path, databases: Sequence[str]
) -> Iterator[Mapping[str, tuple[Server, Ledger | None]]]:
    with ExitStack() as stack:
        opened = stack.enter_context(ledgers.open_ledgers(folder, databases))
        (alone,) = stack.enter_context(ledgers.open_ledgers(folder, [ledgers.SQLITE])).values()

        def start(module: str, *arguments: str, ledger: Ledger | None = None) -> Server:
            env = {"GENESYS_WEBHOOK_SECRET": SECRET, "PLAIN_DATABASE": f"{folder}/plain.db"}
            if ledger is not None:
                env["GENESYS_LEDGER_URL"] = ledgers.url_of(ledger)
            server = Server(module, *arguments, env=env)
            stack.callback(server.stop)
            return server

        baseline = baseline_receivers.__name__
        receivers = {
            "plain app that keeps nothing": (start(baseline, baseline_receivers.NO_LEDGER), None),
            PLAIN: (start(baseline, baseline_receivers.PLAIN), None),
            ONE_COMMIT: (start(baseline, baseline_receivers.ONE_COMMIT, ledger=alone), alone),
            **{
                f"this receiver, {name}": (start("genesys_cloud.webhook", ledger=ledger), ledger)
                for name, ledger in opened.items()
            },
        }
        for server, _ in receivers.values():
            server.wait()  # all of them start at once
        yield receivers


def _run(server: Server, ledger: Ledger | None, sizes: Sizes, answers: Counter[str]) -> Contestant:
    runs = iter(range(sizes.rounds))

    def run() -> Cost:
        prefix = f"run{next(runs)}"
        if ledger is not None:
            accept(ledger, prefix, sizes.messages)
        bodies = load.events([f"{prefix}-{number}" for number in range(1, sizes.messages + 1)])
        began, cpu_before = time.perf_counter(), server.cpu_s()
        answers.update(load.post(server.port, bodies, sizes.in_flight))
        return Cost(seconds=time.perf_counter() - began, cpu_s=server.cpu_s() - cpu_before)

    return run


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
    sizes: Sizes, costs: Mapping[str, Sequence[Cost]], answers: Mapping[str, Counter[str]]
) -> Table:
    count = len(load.events([str(number) for number in range(sizes.messages)]))
    rows = [
        [
            name,
            f"{count / seconds(each):,.0f}",
            f"{1e3 * cpu(each) / count:.2f}",
            f"{answers[name]['applied']:,}",
            f"{answers[name]['duplicate']:,}",
            times_as_long(each, costs[ONE_COMMIT]),
            times_as_long(each, costs[PLAIN]),
        ]
        for name, each in costs.items()
    ]
    return Table(
        title="Status events through a receiver",
        columns=(
            "", "events a second", "CPU ms an event", "applied", "duplicates",
            "time beside one commit", "beside the plain app",
        ),
        rows=rows,
        notes=(
            f"{count:,} signed events a run, a tenth of them repeated, {sizes.in_flight} in "
            f"flight; median of {sizes.rounds} interleaved runs. The sender takes part of the "
            "same processors; CPU is the receiver's own, to 10 ms.",
            "The plain app verifies and parses the same way and commits as durably, but keeps no "
            "audit trail and no order of states.",
        ),
    )  # fmt: skip
