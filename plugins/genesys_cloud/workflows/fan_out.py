"""Posts a batch from several threads, from as many as the server's answers take to come."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType

from genesys_cloud.ledger.outcomes import Outcome
from genesys_cloud.ledger.sends import Batch, Claim
from genesys_cloud.workflows.posting import Attempt

THREADS = 16
"""Most requests in flight from one send task."""

ONE_THREAD_S = 0.001
"""Each thread more pays where a request waits so much longer for its answer."""


class FanOut(AbstractContextManager["FanOut"]):
    """Threads that post batches, each of which takes the next message in turn.

    Threads that need not wait for the server only wait for each other, so that a server which
    answers at once is fed fastest by a few. The first batch is posted by all of them.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="send")
        self._threads = THREADS

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def post(self, attempt: Attempt, batch: Batch, now: datetime) -> list[Outcome]:
        """Post a batch and return what became of each message, in the batch's order."""
        waiting = deque(zip(batch.claims, batch.slots, strict=True))

        def work() -> list[Outcome]:
            return [attempt.post(claim, slot) for claim, slot in _taken(waiting)]

        # Threads that sleep until their slots cost nothing, and one alone would be late for some.
        threads = THREADS if batch.slots[-1] > now else self._threads
        workers = [self._pool.submit(work) for _ in range(min(threads, len(waiting)))]
        outcomes = [outcome for worker in workers for outcome in worker.result()]
        if attempt.waits:
            self._threads = threads_for(sum(attempt.waits) / len(attempt.waits))
        return sorted(outcomes, key=lambda outcome: outcome.claim.id)


def threads_for(wait_s: float) -> int:
    """Return how many threads keep a server busy whose answers take so many seconds."""
    return min(THREADS, 1 + math.ceil(wait_s / ONE_THREAD_S))


def _taken(waiting: deque[tuple[Claim, datetime]]) -> Iterator[tuple[Claim, datetime]]:
    while True:
        try:
            yield waiting.popleft()
        except IndexError:  # another thread took the last one
            return
