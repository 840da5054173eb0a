"""What was asked of the API, in order, and how each request ended."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

LONGEST = 200_000


@dataclass(slots=True)
class Entry:
    """A request: `at` in epoch seconds; the status is null before the answer, 0 without one."""

    at: float
    method: str
    path: str
    status: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the admin API shows it."""
        return {"at": self.at, "method": self.method, "path": self.path, "status": self.status}


class Journal:
    """The requests; the list is bounded, the counters are not."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=LONGEST)
        self._counts: Counter[tuple[str, int]] = Counter()

    def open(self, method: str, path: str) -> Entry:
        """Note that a request has come in."""
        entry = Entry(self._clock(), method, path)
        self._entries.append(entry)
        return entry

    def close(self, entry: Entry, endpoint: str, status: int) -> None:
        """Note how it ended; the endpoint is what it is counted under."""
        entry.status = status
        self._counts[endpoint, status] += 1

    def as_json(self, offset: int, limit: int) -> dict[str, Any]:
        """Return the counters by endpoint and status, and a stretch of the requests."""
        counts: dict[str, dict[str, int]] = {}
        for (endpoint, status), count in sorted(self._counts.items()):
            counts.setdefault(endpoint, {})[str(status)] = count
        stretch = islice(self._entries, offset, offset + limit)
        return {
            "counts": counts,
            "total": len(self._entries),
            "requests": [entry.as_json() for entry in stretch],
        }
