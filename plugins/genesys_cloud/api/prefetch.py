"""Pages that are fetched while others are still being read, a bounded number at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Fetches numbers from `first` on in `most` threads, and hands the results out in order.

    An error comes out where its result would have. Leaving the context waits for what is in
    flight and begins nothing more, so that no thread outlives it.
    """

    def __init__(self, fetch: Callable[[int], T], *, first: int, most: int) -> None:
        self._fetch = fetch
        self._next = first
        self._most = most
        self._coming: deque[Future[T]] = deque()
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="page")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def reach(self, last: int) -> None:
        """Begin fetching up to `last`, as far as there are threads."""
        while self._next <= last and len(self._coming) < self._most:
            self._coming.append(self._threads.submit(self._fetch, self._next))
            self._next += 1

    def take(self) -> T:
        """Return the next result once it is there."""
        return self._coming.popleft().result()
