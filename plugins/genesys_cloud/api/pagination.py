"""Numbered pages in their order, to their end and not beyond; fetched ahead where that is asked."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Generic, Protocol, TypeVar

from genesys_cloud.api.prefetch import Prefetch
from genesys_cloud.errors import PagingError

MOST_PAGES = 50_000
"""At 100 messages a page, more than the account limit lets anyone send in a day."""


class Page(Protocol):
    """What paging needs to know of a page."""

    @property
    def has_more(self) -> bool:
        """Whether a page follows."""


P = TypeVar("P", bound=Page)


def _unknown(page: object) -> None:
    """Know no total."""


class NumberedPages(Generic[P]):
    """Iterates over pages 1, 2, 3, … as `fetch` returns them; `ids` are those of a page's entries.

    Each iteration lists anew. With `ahead`, up to so many pages are fetched at once, each in a
    thread of its own, and none beyond the `total` of entries that the newest page counts; where it
    counts none, up to `ahead` pages beyond the last one. Who stops early waits for those in flight.

    Raises PagingError where the list repeats itself (a page that was there before, or two empty
    pages with more to come) or is longer than `most` pages: such a list would never end.
    """

    def __init__(
        self,
        fetch: Callable[[int], P],
        *,
        ids: Callable[[P], Iterable[str]],
        what: str,
        most: int = MOST_PAGES,
        ahead: int = 0,
        total: Callable[[P], int | None] = _unknown,
    ) -> None:
        self._fetch = fetch
        self._ids = ids
        self._what = what
        self._most = most
        self._ahead = ahead
        self._total = total

    def __iter__(self) -> Iterator[P]:
        # Hashes and not the ids: the list may be millions long.
        seen: set[int] = set()
        with closing(self._fetched_ahead() if self._ahead else self._one_by_one()) as pages:
            for number, page in enumerate(pages, start=1):
                self._check(number, page, seen)
                yield page
                if not page.has_more:
                    return
        raise PagingError(
            f"{self._what} still go on after {self._most} pages. Ask for a shorter interval."
        )

    def _one_by_one(self) -> Generator[P]:
        for number in range(1, self._most + 1):
            yield self._fetch(number)

    def _fetched_ahead(self) -> Generator[P]:
        """Yield the pages; the first is fetched alone, for it tells how many there are."""
        page = self._fetch(1)
        size = sum(1 for _ in self._ids(page))
        yield page
        with Prefetch(self._fetch, first=2, most=self._ahead) as coming:
            for number in range(2, self._most + 1):
                coming.reach(max(number, min(self._last(page, size), self._most)))
                page = coming.take()
                yield page

    def _last(self, page: P, size: int) -> int:
        """Return the number of the last page, by the entries that a page counts."""
        total = self._total(page)
        return self._most if total is None else -(-total // max(size, 1))

    def _check(self, number: int, page: P, seen: set[int]) -> None:
        ids = tuple(self._ids(page))
        # The last page may be empty; an empty page with more to come may not come twice.
        if not ids and not page.has_more:
            return
        mark = hash(ids)
        if mark in seen:
            raise PagingError(
                f"{self._what}: page {number} holds the same {len(ids)} entries as a page before "
                "it, so the list would never end. The host ignores pageNumber or its data is "
                "inconsistent; try again, and give Genesys support the interval if it lasts."
            )
        seen.add(mark)
