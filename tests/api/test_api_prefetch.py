"""Pages fetched ahead: as many at once as allowed, in order, and none that nobody needs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.errors import PagingError
from tests.simulator.server import PATIENCE_S

SIZE = 10


@dataclass(frozen=True)
class FakePage:
    ids: list[str]
    has_more: bool
    total: int | None = None


class FakeList:
    """A list of `count` entries that notes which pages were asked for, and by how many at once.

    `said` is the total that its pages count; `broken` pages raise.
    """

    def __init__(self, count: int, *, said: int | None = None, broken: int | None = None) -> None:
        self.count, self.said, self.broken = count, said, broken
        self.asked: list[int] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self.gate: threading.Barrier | None = None

    def fetch(self, number: int) -> FakePage:
        with self._lock:
            self.asked.append(number)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.gate is not None and number > 1:
                self.gate.wait(PATIENCE_S)
            if number == self.broken:
                raise ConnectionError(f"page {number} is broken")
            entries = [f"id{n}" for n in range(self.count)][(number - 1) * SIZE : number * SIZE]
            return FakePage(entries, has_more=number * SIZE < self.count, total=self.said)
        finally:
            with self._lock:
                self.at_once -= 1

    def pages(self, ahead: int, *, most: int = 1_000) -> NumberedPages[FakePage]:
        return NumberedPages(
            self.fetch,
            ids=lambda page: page.ids,
            what="The rows",
            ahead=ahead,
            most=most,
            total=lambda page: page.total,
        )


def page_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("page")]


@given(
    count=st.integers(0, 200),
    ahead=st.integers(1, 9),
    lie=st.none() | st.integers(-5, 300),
)
def test_every_entry_comes_once_and_in_order_whatever_the_total_says(
    count: int, ahead: int, lie: int | None
) -> None:
    listed = FakeList(count, said=lie)
    assert [entry for page in listed.pages(ahead) for entry in page.ids] == [
        f"id{n}" for n in range(count)
    ]
    assert listed.most_at_once <= ahead
    assert page_threads() == []


@given(count=st.integers(0, 200), ahead=st.integers(1, 9))
def test_no_page_is_asked_for_beyond_a_total_that_is_true(count: int, ahead: int) -> None:
    listed = FakeList(count, said=count)
    pages = list(listed.pages(ahead))
    assert sorted(listed.asked) == list(range(1, len(pages) + 1))


@given(count=st.integers(0, 200), ahead=st.integers(1, 9))
def test_without_a_total_at_most_the_window_is_asked_for_in_vain(count: int, ahead: int) -> None:
    listed = FakeList(count)
    pages = list(listed.pages(ahead))
    assert max(listed.asked) < len(pages) + ahead


def test_as_many_pages_are_in_flight_as_there_are_threads() -> None:
    listed = FakeList(9 * SIZE, said=9 * SIZE)
    listed.gate = threading.Barrier(4)  # opens only where four are there together: 2-5 and 6-9
    assert len(list(listed.pages(4))) == 9
    assert listed.most_at_once == 4


def test_the_first_page_is_asked_for_alone() -> None:
    listed = FakeList(50)
    next(iter(listed.pages(8)))
    assert listed.asked == [1]


def test_pages_before_one_that_fails_still_come_and_then_its_error() -> None:
    listed = FakeList(100, said=100, broken=5)
    walked = iter(listed.pages(8))
    assert [page.ids[0] for page in islice(walked, 4)] == ["id0", "id10", "id20", "id30"]
    with pytest.raises(ConnectionError, match="page 5 is broken"):
        next(walked)
    assert page_threads() == []


def test_who_stops_early_leaves_no_thread_behind() -> None:
    listed = FakeList(1_000, said=1_000)
    walked = iter(listed.pages(8))
    assert len(list(islice(walked, 3))) == 3
    walked.close()  # type: ignore[attr-defined]
    assert page_threads() == []
    assert max(listed.asked) <= 3 + 8


def test_a_host_that_goes_round_in_circles_ends_in_an_error() -> None:
    pages = NumberedPages(
        lambda number: FakePage([f"row {number % 7}"], has_more=True),
        ids=lambda page: page.ids,
        what="The rows",
        ahead=8,
    )
    with pytest.raises(PagingError, match="same 1 entries"):
        list(pages)
    assert page_threads() == []


def test_a_list_without_an_end_is_cut_off() -> None:
    asked: list[int] = []

    def endless(number: int) -> FakePage:
        asked.append(number)
        return FakePage([f"row {number}"], has_more=True)

    pages = NumberedPages(endless, ids=lambda page: page.ids, what="The rows", ahead=8, most=20)
    with pytest.raises(PagingError, match="20 pages"):
        list(pages)
    assert sorted(asked) == list(range(1, 21))


def test_a_list_can_be_read_again() -> None:
    listed = FakeList(35, said=35)
    pages = listed.pages(4)
    assert [page.ids for page in pages] == [page.ids for page in pages]
    assert len(listed.asked) == 8


def test_a_total_that_grows_is_followed() -> None:
    # The newest page's total counts: 20 at first, 60 from page 2 on.
    listed = FakeList(60)

    def fetch(number: int) -> FakePage:
        page = listed.fetch(number)
        return FakePage(page.ids, page.has_more, total=20 if number == 1 else 60)

    pages = NumberedPages(
        fetch,
        ids=lambda page: page.ids,
        what="The rows",
        ahead=8,
        total=lambda page: page.total,
    )
    assert len(list(pages)) == 6
    assert sorted(listed.asked) == [1, 2, 3, 4, 5, 6]
