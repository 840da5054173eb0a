from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.errors import PagingError


@dataclass(frozen=True)
class FakePage:
    ids: list[str]
    has_more: bool


def pages(fetch: object, **options: int) -> NumberedPages[FakePage]:
    return NumberedPages(fetch, ids=lambda page: page.ids, what="The rows", **options)  # type: ignore[arg-type]


def a_list(count: int, size: int) -> list[FakePage]:
    ids = [f"id{n}" for n in range(count)]
    numbers = range(max(1, -(-count // size)))
    return [
        FakePage(ids[n * size : (n + 1) * size], has_more=(n + 1) * size < count) for n in numbers
    ]


@given(count=st.integers(0, 500), size=st.integers(1, 100))
def test_every_entry_comes_once_and_in_order(count: int, size: int) -> None:
    listed = a_list(count, size)
    asked: list[int] = []

    def fetch(number: int) -> FakePage:
        asked.append(number)
        return listed[number - 1]

    found = [entry for page in pages(fetch) for entry in page.ids]
    assert found == [f"id{n}" for n in range(count)]
    assert asked == list(range(1, len(listed) + 1))


@given(period=st.integers(1, 10), ahead=st.integers(0, 5))
def test_a_list_that_goes_round_in_circles_ends_in_an_error(period: int, ahead: int) -> None:
    def fetch(number: int) -> FakePage:
        place = number if number <= ahead else ahead + (number - ahead) % period
        return FakePage([f"row {place}"], has_more=True)

    walked = iter(pages(fetch))
    with pytest.raises(PagingError, match="same 1 entries"):
        list(islice(walked, ahead + period + 2))


def test_one_empty_page_with_more_to_come_is_passed_and_a_second_is_not() -> None:
    listed = [FakePage([], True), FakePage(["a"], True), FakePage([], False)]
    assert len(list(pages(lambda number: listed[number - 1]))) == 3
    with pytest.raises(PagingError):
        list(pages(lambda number: FakePage([], True)))


def test_the_last_page_may_be_empty() -> None:
    listed = [FakePage(["a"], True), FakePage([], False)]
    assert [page.ids for page in pages(lambda number: listed[number - 1])] == [["a"], []]


def test_a_last_page_that_was_there_before_would_be_counted_twice() -> None:
    listed = [FakePage(["a"], True), FakePage(["a"], False)]
    with pytest.raises(PagingError, match="page 2"):
        list(pages(lambda number: listed[number - 1]))


def test_a_list_without_an_end_is_cut_off() -> None:
    endless = pages(lambda number: FakePage([str(number)], True), most=20)
    with pytest.raises(PagingError, match="20 pages"):
        list(endless)


def test_pages_are_asked_for_one_at_a_time() -> None:
    asked: list[int] = []

    def fetch(number: int) -> FakePage:
        asked.append(number)
        return FakePage([str(number)], True)

    list(islice(iter(pages(fetch)), 2))
    assert asked == [1, 2]
