"""Whatever is in analytics is listed, within the limits of a query, by query or by job."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genesys_cloud.api.analytics_jobs import LONGEST_PAUSE_S, LONGEST_WAIT_S
from genesys_cloud.api.conversation_listing import Bounds, halves, listing, slices
from genesys_cloud.api.profiles.agentless_analytics import Wanted
from genesys_cloud.api.session import ApiSession
from genesys_cloud.errors import PagingError, PermissionDeniedError
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.settings import Account
from tests.api.analytics import QUERY, Analytics, Talk, conversation, interval
from tests.api.wire import WireServer, http, says

START = datetime(2026, 11, 14, tzinfo=UTC)
END = START + timedelta(days=1)
NOW = START + timedelta(days=10)
SMALL = Bounds(hits=300, large=1_000_000, shortest=timedelta(milliseconds=1))
JOB = Bounds(large=100)
HOUR = timedelta(hours=1)

Ask = Callable[..., list[DeliveryPage]]


@pytest.fixture
def analytics() -> Analytics:
    return Analytics()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def session(analytics: Analytics, tmp_path: Path, pauses: list[float]) -> Iterator[ApiSession]:
    with WireServer(analytics) as server:
        opened = open_session(server.url, tmp_path, pauses)
        yield opened
        opened.close()


def open_session(url: str, state_dir: Path, pauses: list[float]) -> ApiSession:
    account = Account(
        name="test", client_id="id", client_secret="a secret", base_url=url, profile="agentless"
    )
    return ApiSession(
        account, state_dir=state_dir, clock=NOW.timestamp, sleep=pauses.append, rng=lambda: 0.0
    )


def many(count: int, *, start: datetime = START, every: timedelta = timedelta(minutes=1)) -> Any:
    return [
        Talk(f"c{n}", start + n * every, start + n * every + timedelta(seconds=5))
        for n in range(count)
    ]


def ids(pages: list[DeliveryPage]) -> list[str]:
    return [one.message_id for page in pages for one in page.deliveries]


# --- slices


@given(
    offset=st.timedeltas(timedelta(0), timedelta(days=3000)),
    length=st.timedeltas(timedelta(0), timedelta(days=100)),
    days=st.integers(1, 31),
)
def test_slices_are_the_interval_and_end_at_midnight(
    offset: timedelta, length: timedelta, days: int
) -> None:
    start = START + offset
    found = list(slices(start, start + length, days))
    assert [begin for begin, _ in found[:1]] == ([start] if length else [])
    assert [end for _, end in found[-1:]] == ([start + length] if length else [])
    assert all(end == begin for (_, end), (begin, _) in pairwise(found))
    assert all(timedelta(0) < end - begin <= timedelta(days=days) for begin, end in found)
    assert all(end.time() == datetime.min.time() for _, end in found[:-1])


@given(
    length=st.timedeltas(timedelta(milliseconds=2), timedelta(days=31)),
    shortest=st.timedeltas(timedelta(milliseconds=1), timedelta(days=2)),
)
def test_halves_are_the_slice_down_to_the_shortest(length: timedelta, shortest: timedelta) -> None:
    wanted, bounds = Wanted(start=START, end=START + length), Bounds(shortest=shortest)
    if length <= shortest:
        with pytest.raises(PagingError, match="Run it again tomorrow"):
            halves(wanted, bounds)
        return
    first, second = halves(wanted, bounds)
    assert first.start == wanted.start < first.end == second.start < second.end == wanted.end


def test_a_query_is_never_about_more_than_the_platform_takes() -> None:
    with pytest.raises(ValueError, match="1 to 31 days"):
        Bounds(days=32)


# --- queries


def test_a_day_is_one_query_a_page(session: ApiSession, analytics: Analytics) -> None:
    analytics.talks = many(250)
    pages = list(listing(session, START, END))
    assert ids(pages) == [f"c{n}/s1" for n in range(250)]
    assert [(page.number, page.total, page.has_more) for page in pages] == [
        (1, None, True),
        (2, None, True),
        (3, 250, False),
    ]
    assert all(page.approximate for page in pages)


def test_a_list_can_be_read_again_and_ahead(session: ApiSession, analytics: Analytics) -> None:
    analytics.talks = many(950)
    again = listing(session, START, END, ahead=4)
    first, second = ids(list(again)), ids(list(again))
    assert first == second == [f"c{n}/s1" for n in range(950)]


def test_an_interval_without_conversations_is_one_empty_page(session: ApiSession) -> None:
    (page,) = listing(session, START, END)
    assert (page.number, page.total, page.has_more, list(page.deliveries)) == (1, 0, False, [])


def test_nothing_is_asked_for_beyond_the_present(session: ApiSession, analytics: Analytics) -> None:
    list(listing(session, NOW - HOUR, NOW + HOUR))
    (query,) = analytics.queries
    assert interval(query) == (NOW - HOUR, NOW)
    (page,) = listing(session, NOW, NOW + HOUR)
    assert (page.total, page.has_more, len(analytics.queries)) == (0, False, 1)


def test_a_naive_time_is_an_error_before_anything_is_asked(session: ApiSession) -> None:
    with pytest.raises(ValueError, match="naive"):
        listing(session, START.replace(tzinfo=None), END)


def test_messages_beyond_one_of_a_conversation_count(
    session: ApiSession, analytics: Analytics
) -> None:
    talks = many(3)
    analytics.talks = [talks[0], Talk("c1", START, END, messages=3), Talk("c2", START, END, 0)]
    pages = list(listing(session, START, END))
    assert ids(pages) == ["c0/s1", "c1/s1", "c1/s2", "c1/s3"]
    assert pages[-1].total == 4


def test_an_approximate_total_neither_cuts_the_list_short_nor_makes_it_endless(
    session: ApiSession, analytics: Analytics
) -> None:
    analytics.talks = many(250)
    for analytics.off in (-240, -60, 40, 400):
        for ahead in (0, 3):
            pages = list(listing(session, START, END, ahead=ahead))
            assert len(set(ids(pages))) == 250
            assert pages[-1].total == 250 + analytics.off


def test_a_host_that_ignores_the_page_number_ends_in_an_error(
    session: ApiSession, analytics: Analytics
) -> None:
    class SamePage(list[Talk]):
        def __getitem__(self, part: Any) -> Any:
            return super().__getitem__(slice(0, 100))

    analytics.listed = lambda start, end: SamePage(many(250))  # type: ignore[method-assign]
    with pytest.raises(PagingError, match="The conversations from 2026-11-14"):
        list(listing(session, START, END))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**9),
    count=st.integers(0, 700),
    # Of short conversations few overlap, so that halves help; of long ones all may.
    shape=st.sampled_from([(5, 300), (20_000, 1_000)]),
)
def test_every_conversation_of_the_interval_is_listed_within_the_limits(
    session: ApiSession, analytics: Analytics, seed: int, count: int, shape: tuple[int, int]
) -> None:
    dice, (longest_s, most) = random.Random(seed), shape
    start = START + timedelta(milliseconds=dice.randrange(86_400_000))
    end = start + timedelta(milliseconds=dice.randrange(1, 3 * 86_400_000))
    talks = []
    for n in range(count):
        begun = START + timedelta(milliseconds=dice.randrange(5 * 86_400_000))
        lasts = timedelta(seconds=dice.randrange(longest_s))
        talks.append(Talk(f"c{n}", begun, begun + lasts, dice.choice([1, 1, 1, 2])))
    analytics.talks = sorted(talks, key=lambda one: one.start)
    analytics.queries.clear()
    analytics.most_hits = most
    bounds = replace(SMALL, days=dice.randint(1, 3), hits=most)

    pages = list(listing(session, start, end, ahead=dice.choice([0, 3]), bounds=bounds))

    expected = {
        f"{one.name}/s{number}"
        for one in talks
        if start <= one.start < end
        for number in range(1, one.messages + 1)
    }
    listed = set(ids(pages))
    assert expected <= listed
    # What began before the interval, on its first day, is listed where it went on: no more than it.
    begun = {one.message_id: one.created_at for page in pages for one in page.deliveries}
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    assert all(midnight <= (begun[name] or start) < end for name in listed)
    assert pages[-1].total == len(listed)
    for query in analytics.queries:
        first, last = interval(query)
        assert start <= first < last <= end
        assert last - first <= timedelta(days=bounds.days)
    assert [page.has_more for page in pages] == [True] * (len(pages) - 1) + [False]
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))


def test_more_than_can_be_paged_through_is_read_in_halves_and_counted_once(
    session: ApiSession, analytics: Analytics
) -> None:
    analytics.most_hits = 300
    # One went on through the night, and is in every part of the day.
    analytics.talks = [*many(999), Talk("long", START, END)]
    pages = list(listing(session, START, END, bounds=SMALL))
    assert set(ids(pages)) == {f"c{n}/s1" for n in range(999)} | {"long/s1"}
    assert ids(pages).count("long/s1") > 1
    assert pages[-1].total == 1000
    assert all(query["paging"]["pageNumber"] <= 3 for query in analytics.queries)


def test_where_the_whole_is_refused_its_parts_are_counted(
    session: ApiSession, analytics: Analytics
) -> None:
    analytics.most_hits, analytics.refuses_at_once = 300, True
    analytics.talks = many(1000)
    pages = list(listing(session, START, END, bounds=SMALL))
    assert set(ids(pages)) == {f"c{n}/s1" for n in range(1000)}
    assert pages[-1].total == 1000


def test_more_at_one_instant_than_can_be_paged_through_is_an_error_with_a_way_out(
    session: ApiSession, analytics: Analytics
) -> None:
    analytics.talks = many(301, every=timedelta(0))
    with pytest.raises(PagingError, match=r"more than 300 conversations.*analytics job"):
        list(listing(session, START, END, bounds=SMALL))


def test_a_list_that_grows_beyond_the_limit_while_it_is_read_is_whole_the_next_time(
    session: ApiSession, analytics: Analytics
) -> None:
    analytics.most_hits = 300
    analytics.talks = many(290)
    late = many(20, start=START + 20 * HOUR)
    arriving = [Talk(f"late{n}", one.start, one.end) for n, one in enumerate(late)]

    def arrive(number: int) -> None:
        if number == 2 and arriving:
            analytics.talks += arriving
            arriving.clear()

    analytics.between = arrive
    again = listing(session, START, END, bounds=SMALL)
    found = set(ids(list(again)))
    pages = list(again)
    assert len(found | set(ids(pages))) == 310
    assert pages[-1].total == 310


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 60), max_size=8))
def test_what_is_there_from_the_beginning_is_found_while_pages_shift(
    session: ApiSession, analytics: Analytics, arriving: list[int]
) -> None:
    analytics.talks = many(350, start=START + 2 * HOUR)
    there = {f"{one.name}/s1" for one in analytics.talks}
    waves = list(arriving)

    def arrive(number: int) -> None:
        if waves and number > 1:
            # Conversations that began earlier come in late, and push the others to later pages.
            wave = len(waves)
            for n in range(waves.pop()):
                analytics.talks.insert(0, Talk(f"late{wave}-{n}", START, START + HOUR))

    analytics.between = arrive
    assert there <= set(ids(list(listing(session, START, END))))


def test_a_refused_query_names_the_permission(tmp_path: Path) -> None:
    refused = http(403, b'{"code":"missing.permissions","message":"no","status":403}')
    with WireServer(says(refused)) as server:
        session = open_session(server.url, tmp_path, [])
        with pytest.raises(PermissionDeniedError, match="analytics:conversationDetail:view"):
            list(listing(session, START, END))
        session.close()
    assert server.requests[0].target == QUERY


# --- jobs


def results(*counts: int) -> list[dict[str, Any]]:
    """Return pages of a job's results with so many conversations."""
    talks, place, made = many(sum(counts)), 0, []
    for page, count in enumerate(counts, start=1):
        shown = [one.shown() for one in talks[place : place + count]]
        place += count
        cursor = {"cursor": f"page {page + 1}"} if page < len(counts) else {}
        made.append({"conversations": shown} | cursor)
    return made


def test_many_conversations_are_read_by_a_job(
    session: ApiSession, analytics: Analytics, pauses: list[float]
) -> None:
    analytics.talks = many(300)
    analytics.available = END
    analytics.states = [{"state": "QUEUED"}, {"state": "PENDING"}, {"state": "FULFILLED"}]
    analytics.results = results(200, 100)
    pages = list(listing(session, START, END, bounds=JOB))
    assert ids(pages) == [f"c{n}/s1" for n in range(300)]
    assert (pages[-1].total, pages[-1].approximate, pages[-1].has_more) == (300, False, False)
    assert pauses == [1.0, 2.0]
    assert len(analytics.queries) == 1
    assert analytics.jobs == [
        ("POST", ""),
        *[("GET", "/job-1")] * 3,
        ("GET", "/job-1/results"),
        ("GET", "/job-1/results?cursor=page+2"),
        ("DELETE", "/job-1"),
    ]
    assert analytics.posted[0]["startOfDayIntervalMatching"] is True


def test_query_and_job_give_the_same_deliveries(session: ApiSession, analytics: Analytics) -> None:
    analytics.talks = many(300)
    by_query = _deliveries(list(listing(session, START, END)))
    analytics.available = END
    analytics.results = results(300)
    assert _deliveries(list(listing(session, START, END, bounds=JOB))) == by_query
    assert analytics.jobs


def test_a_conversation_that_a_job_repeats_counts_once(
    session: ApiSession, analytics: Analytics
) -> None:
    analytics.talks, analytics.available = many(300), END
    twice = conversation("c7", START, {}, {})
    analytics.results = [
        {"conversations": [twice], "cursor": "next"},
        {"conversations": [twice, conversation("c8", START, {})]},
    ]
    pages = list(listing(session, START, END, bounds=JOB))
    assert ids(pages) == ["c7/s1", "c7/s2", "c7/s1", "c7/s2", "c8/s1"]
    assert pages[-1].total == 3


def test_data_that_is_not_there_yet_is_queried(session: ApiSession, analytics: Analytics) -> None:
    analytics.talks = many(300)
    analytics.available = END - timedelta(milliseconds=1)
    pages = list(listing(session, START, END, bounds=JOB))
    assert len(ids(pages)) == 300
    assert (pages[-1].approximate, analytics.jobs) == (True, [])


@pytest.mark.parametrize("word", ["FAILED", "CANCELLED", "EXPIRED", None])
def test_a_job_that_ends_without_results_leaves_it_to_the_query(
    session: ApiSession, analytics: Analytics, word: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    analytics.talks, analytics.available = many(300), END
    analytics.states = [{"state": word, "errorMessage": "too much at once"}]
    assert len(ids(list(listing(session, START, END, bounds=JOB)))) == 300
    assert f"ended as {word or 'unknown'}: too much at once" in caplog.text
    assert analytics.jobs[-1] == ("DELETE", "/job-1")


def test_a_job_is_not_waited_for_without_end(
    session: ApiSession, analytics: Analytics, pauses: list[float], caplog: Any
) -> None:
    analytics.talks, analytics.available = many(300), END
    analytics.states = [{"state": "PENDING"}]
    assert len(ids(list(listing(session, START, END, bounds=JOB)))) == 300
    assert LONGEST_WAIT_S <= sum(pauses) < LONGEST_WAIT_S + LONGEST_PAUSE_S
    assert max(pauses) == LONGEST_PAUSE_S
    assert "still PENDING after" in caplog.text
    assert analytics.jobs[-1] == ("DELETE", "/job-1")


def test_a_cursor_that_comes_back_is_an_error_and_the_job_is_deleted(
    session: ApiSession, analytics: Analytics
) -> None:
    analytics.talks, analytics.available = many(300), END
    first, second = results(200, 100)
    analytics.results = [first, second | {"cursor": "page 2"}]
    with pytest.raises(PagingError, match="page that was there before"):
        list(listing(session, START, END, bounds=JOB))
    assert analytics.jobs[-1] == ("DELETE", "/job-1")


def test_each_day_decides_by_itself(session: ApiSession, analytics: Analytics) -> None:
    tomorrow = Talk("late", END + HOUR, END + HOUR)
    analytics.talks, analytics.available = [*many(300), tomorrow], END
    analytics.results = results(300)
    pages = list(listing(session, START, END + timedelta(days=1), bounds=JOB))
    assert len(set(ids(pages))) == 301
    assert (pages[-1].total, pages[-1].approximate) == (301, True)
    assert len(analytics.posted) == 1


def _deliveries(pages: list[DeliveryPage]) -> list[Delivery]:
    return [one for page in pages for one in page.deliveries]
