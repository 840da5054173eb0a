"""Worker processes that decide the rows of a long contact list, in the list's order.

Each is a fresh Python that speaks by its standard input and output: it inherits no connection and
no lock of the task's process, imports no Airflow, and ends by itself when that process is gone.
What they return is what the task would have decided itself. Only addresses that come twice are
looked for here, since a worker sees its own rows alone.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self

import genesys_cloud
from genesys_cloud.errors import PlanningInterruptedError
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.seen_addresses import SeenAddresses
from genesys_cloud.outbound.templates import Template
from genesys_cloud.workflows.deciding import Job

ROWS_IN_PROCESS = 20_000
"""Rows that the task decides itself, before it starts workers for those that follow: they take as
long to start as ten thousand rows take to be decided, and as much memory as the task."""

MOST_WORKERS = 2
"""As many as the task itself can keep busy: to read a row and to write it to the ledger costs about
as much time as to decide about it."""

BLOCK = 500
"""Rows that are handed over at once."""

WORK = "genesys_cloud.workflows.planning_worker"

_PATIENCE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Who decides the rows past the first `after`: `count` processes, which read their template
    from the folder `templates`."""

    templates: Path
    count: int
    after: int

    @classmethod
    def for_this_machine(cls, include_dir: Path) -> Workers | None:
        """Return as many as there are processors for, None where there is one."""
        processors = os.cpu_count() or 1
        if processors < 2:
            return None
        return cls(
            templates=include_dir / "templates",
            count=min(MOST_WORKERS, processors),
            after=ROWS_IN_PROCESS,
        )


def decided(
    job: Job, template: Template, rows: Iterable[Row], workers: Workers | None
) -> Generator[PlannedMessage]:
    """Yield what the ledger keeps of each row, in their order.

    Raises PlanningInterruptedError when a worker is killed; a new planning then does it all.
    """
    seen = SeenAddresses()
    planner = job.planner(template, seen)
    remaining = iter(rows)
    for row in islice(remaining, None if workers is None else workers.after):
        yield job.message(planner, row)
    following = list(islice(remaining, 1))
    if workers is None or not following:
        return
    with _Pool(workers, job, template) as pool:
        for block, messages in pool.decide(chain(following, remaining)):
            for row, message in zip(block, messages, strict=True):
                new = message.address_key is None or seen.first(message.address, row.number) == (
                    row.number
                )
                yield message if new else job.message(planner, row)


class _Pool:
    """Worker processes as long as its block; each has one block of rows at a time."""

    def __init__(self, workers: Workers, job: Job, template: Template) -> None:
        self._order = (workers.templates, job)
        self._version = template.version
        self._workers: list[_Worker] = []
        self._count = workers.count

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._workers.append(_Worker())
                self._workers[-1].send(self._order)
            for worker in self._workers:
                self._check(worker.receive())
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.close()

    def decide(
        self, rows: Iterator[Row]
    ) -> Iterator[tuple[Sequence[Row], Iterator[PlannedMessage]]]:
        """Yield the rows block by block with what was decided of them."""
        given: deque[tuple[_Worker, list[Row]]] = deque()
        idle = deque(self._workers)
        while True:
            while idle and (block := list(islice(rows, BLOCK))):
                # It has written its last answer, so it reads: neither waits for the other.
                idle[0].send([(row.number, row.values, row.problem) for row in block])
                given.append((idle.popleft(), block))
            if not given:
                return
            worker, block = given.popleft()
            answer = worker.receive()
            idle.append(worker)
            yield block, map(PlannedMessage._make, answer)

    def _check(self, version: str) -> None:
        if version != self._version:
            raise PlanningInterruptedError(
                "The template's files were changed while the campaign was being planned. Nothing "
                "was sent; plan it again."
            )


class _Worker:
    """One worker process and the pipes to it."""

    def __init__(self) -> None:
        package = str(Path(genesys_cloud.__file__).parents[1])
        start = f"import sys; sys.path.insert(0, {package!r}); from {WORK} import main; main()"
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and no input
            [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018
        self._to, self._from = self._process.stdin, self._process.stdout

    def send(self, work: object) -> None:
        try:
            pickle.dump(work, self._to, pickle.HIGHEST_PROTOCOL)
            self._to.flush()
        except OSError as error:
            raise self._lost() from error

    def receive(self) -> Any:
        try:
            return pickle.load(self._from)  # noqa: S301 - from our own process, by a pipe
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise self._lost() from error

    def close(self) -> None:
        """End the process; without input it ends by itself, unless something holds it up."""
        self._from.close()
        with suppress(OSError):
            self._to.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _lost(self) -> PlanningInterruptedError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE_S)
        return PlanningInterruptedError(
            f"A process that decides about recipients ended (status {self._process.returncode}), "
            "killed or out of memory; its own words, if any, are in the log above. Nothing was "
            "sent; plan the campaign again."
        )
