"""What is due later: one heap, one timer of the event loop."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

BATCH = 200


class Timeline:
    """Calls actions when they are due, in order of their time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._timer: asyncio.Handle | None = None
        self._timer_due = 0.0

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Call the action once, that many seconds from now."""
        due = asyncio.get_running_loop().time() + max(0.0, delay_s)
        heapq.heappush(self._heap, (due, next(self._order), action))
        if self._timer is None or due < self._timer_due:
            self._arm()

    def clear(self) -> None:
        """Forget everything that is due."""
        self._heap.clear()
        self._disarm()

    def _arm(self) -> None:
        self._disarm()
        if self._heap:
            self._timer_due = self._heap[0][0]
            self._timer = asyncio.get_running_loop().call_at(self._timer_due, self._fire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        loop = asyncio.get_running_loop()
        # A bounded batch: requests are answered between two of them.
        for _ in range(BATCH):
            if not self._heap or self._heap[0][0] > loop.time():
                break
            heapq.heappop(self._heap)[2]()
        self._arm()
