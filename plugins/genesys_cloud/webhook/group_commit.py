"""Group commit: requests that arrive while a transaction runs share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from genesys_cloud.ledger.events import Effect
from genesys_cloud.outbound.status import StatusEvent

MOST_IN_A_BATCH = 200
"""Most events in one transaction."""

MOST_WAITING = 5_000
"""Most events that wait for a transaction; past it the receiver asks the sender to come back."""


class QueueFullError(Exception):
    """More events wait than the receiver will hold in memory."""


class GroupCommit:
    """Hands batches of events to a blocking `apply`, one batch at a time.

    It needs no start and no stop: an event that finds nobody at work begins the work. That is on
    purpose, for an app mounted in another one is told neither when it starts nor when it stops.
    """

    def __init__(self, apply: Callable[[Sequence[StatusEvent]], Sequence[Effect]]) -> None:
        self._apply = apply
        self._waiting: deque[tuple[StatusEvent, asyncio.Future[Effect]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def submit(self, event: StatusEvent) -> Effect:
        """Return what the event did, after its transaction has been committed."""
        if len(self._waiting) >= MOST_WAITING:
            raise QueueFullError
        future: asyncio.Future[Effect] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, future))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            size = min(len(self._waiting), MOST_IN_A_BATCH)
            batch = [self._waiting.popleft() for _ in range(size)]
            try:
                effects = await asyncio.to_thread(self._apply, [event for event, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), effect in zip(batch, effects, strict=True):
                if not future.done():  # the request may have been given up meanwhile
                    future.set_result(effect)
