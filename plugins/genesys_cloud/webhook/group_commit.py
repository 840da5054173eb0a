"""Group commit: requests that arrive while a transaction runs share the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from genesys_cloud.outbound.opt_outs import Arrival
from genesys_cloud.webhook.counting import Outcome

MOST_IN_A_BATCH = 200
"""Most events in one transaction."""

MOST_WAITING = 10_000
"""Most events that wait for a transaction; past it the receiver asks the sender to come back."""


LOOK_AROUND = 3
"""Turns of the event loop in which nobody new has come before a transaction begins."""


class QueueFullError(Exception):
    """More events wait than the receiver will hold in memory."""


class GroupCommit:
    """Hands batches of events to a blocking `count`, one batch at a time.

    It needs no start and no stop: an event that finds nobody at work begins the work. That is on
    purpose, for an app mounted in another one is told neither when it starts nor when it stops.
    """

    def __init__(self, count: Callable[[Sequence[Arrival]], Sequence[Outcome]]) -> None:
        self._count = count
        self._waiting: deque[tuple[Arrival, asyncio.Future[Outcome]]] = deque()
        self._work: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait for a transaction."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether no further event may wait."""
        return len(self._waiting) >= MOST_WAITING

    async def submit(self, events: Sequence[Arrival]) -> Sequence[Outcome]:
        """Return each event's outcome, after the transactions of all have been committed."""
        if len(self._waiting) + len(events) > MOST_WAITING:
            raise QueueFullError
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in events]
        self._waiting.extend(zip(events, futures, strict=True))
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._drain())
        return [await future for future in futures]

    async def _gather(self) -> None:
        """Let in who stands at the door: a transaction for all costs little more than for one."""
        known = -1
        while known < len(self._waiting) < MOST_IN_A_BATCH:
            known = len(self._waiting)
            for _ in range(LOOK_AROUND):
                await asyncio.sleep(0)

    async def _drain(self) -> None:
        while self._waiting:
            await self._gather()
            size = min(len(self._waiting), MOST_IN_A_BATCH)
            batch = [self._waiting.popleft() for _ in range(size)]
            events = [event for event, _ in batch]
            try:
                outcomes = await asyncio.to_thread(self._count, events)
            except Exception as error:
                outcomes = [error] * size
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():  # the request may have been given up meanwhile
                    future.set_result(outcome)
