"""Numbered pages, one after the other, to their end and not beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from genesys_cloud.errors import PagingError

MOST_PAGES = 50_000
"""At 100 messages a page, more than the account limit lets anyone send in a day."""


class Page(Protocol):
    """What paging needs to know of a page."""

    @property
    def has_more(self) -> bool:
        """Whether a page follows."""


P = TypeVar("P", bound=Page)


class NumberedPages(Generic[P]):
    """Iterates over pages 1, 2, 3, … as `fetch` returns them; `ids` are those of a page's entries.

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
    ) -> None:
        self._fetch = fetch
        self._ids = ids
        self._what = what
        self._most = most

    def __iter__(self) -> Iterator[P]:
        # Hashes and not the ids: the list may be millions long.
        seen: set[int] = set()
        for number in range(1, self._most + 1):
            page = self._fetch(number)
            self._check(number, page, seen)
            yield page
            if not page.has_more:
                return
        raise PagingError(
            f"{self._what} still go on after {self._most} pages. Ask for a shorter interval."
        )

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
