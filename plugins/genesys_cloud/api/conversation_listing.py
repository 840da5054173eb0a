"""Deliveries by time out of analytics: queried a day at a time, or by a job where they are many.

The platform lists what began on a UTC day that a query's interval touches, so that slices that end
at midnight have no conversation in common. A slice with more results than can be paged through is
queried in halves, which may have.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from genesys_cloud.api.analytics_jobs import AnalyticsJob
from genesys_cloud.api.pagination import NumberedPages
from genesys_cloud.api.profiles import agentless_analytics as profile
from genesys_cloud.api.profiles.agentless import TO_ANALYSE
from genesys_cloud.api.profiles.agentless_analytics import ConversationPage, Wanted
from genesys_cloud.api.session import ApiSession
from genesys_cloud.errors import ApiError, PagingError, RequestRejectedError
from genesys_cloud.outbound.deliveries import DeliveryPage

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one query may be about.

    `days` is the longest slice. `hits` are the conversations that one query can page through; with
    more than `large` a job is asked for. `shortest` is the slice that is not halved any more.
    """

    days: int = 1
    hits: int = profile.MOST_HITS
    large: int = 10_000
    shortest: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        if not 1 <= self.days <= profile.MOST_DAYS:
            raise ValueError(f"a query is about 1 to {profile.MOST_DAYS} days, not {self.days}")


DEFAULT_BOUNDS = Bounds()


def listing(
    session: ApiSession,
    start: datetime,
    end: datetime,
    *,
    statuses: Sequence[str] = (),
    recipients: Sequence[str] = (),
    ahead: int = 0,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> Iterable[DeliveryPage]:
    """Return the pages of what went out by API in conversations that began in [start, end).

    Iterating again asks anew. Of conversations that began before `start` on its day those are
    listed too that went on; one may be listed twice. Nothing is asked for beyond the present. The
    last page alone has a `total`, approximate where a query gave it. Raises ValueError for a naive
    time, PagingError where the list contradicts itself or can't be sliced.
    """
    wanted = Wanted(start=_exact(start), end=_exact(end), statuses=statuses, recipients=recipients)
    return _Listing(lambda: _Pass(session, wanted, ahead, bounds))


def slices(start: datetime, end: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of an interval in UTC, each of at most so many days and up to a midnight."""
    while start < end:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        until = min(midnight + timedelta(days=days), end)
        yield start, until
        start = until


def halves(wanted: Wanted, bounds: Bounds) -> tuple[Wanted, Wanted]:
    """Return the two halves of a slice; raises PagingError where it is not to be halved."""
    if wanted.end - wanted.start <= bounds.shortest:
        raise PagingError(
            f"From {wanted.start} to {wanted.end} there are more than {bounds.hits} conversations, "
            "which no query pages through. Run it again tomorrow: an analytics job has no such "
            "limit, and has the data of a day at most a day later."
        )
    middle = _exact(wanted.start + (wanted.end - wanted.start) / 2)
    return replace(wanted, end=middle), replace(wanted, start=middle)


class _Listing:
    """Lists by a pass of its own in each iteration."""

    def __init__(self, begin: Callable[[], _Pass]) -> None:
        self._begin = begin

    def __iter__(self) -> Iterator[DeliveryPage]:
        one = self._begin()
        held: DeliveryPage | None = None
        with closing(one.pages()) as pages:
            # A page is the last one where none follows, and that only the next slice can tell.
            for number, page in enumerate(pages, start=1):
                if held is not None:
                    yield replace(held, approximate=one.approximate)
                held = DeliveryPage(
                    number=number, total=None, deliveries=page.deliveries, has_more=True
                )
        last = held or DeliveryPage(number=1, total=None, deliveries=(), has_more=True)
        yield replace(last, total=one.total, has_more=False, approximate=one.approximate)


class _Pass:
    """One pass over all slices, and what it has counted so far.

    `total` counts messages, and is sound at the end: the conversations that the platform counts,
    and of each the messages beyond one; None where it did not say.
    """

    def __init__(self, session: ApiSession, wanted: Wanted, ahead: int, bounds: Bounds) -> None:
        now = _exact(datetime.fromtimestamp(session.clock(), UTC))
        self._session = session
        self._wanted = replace(wanted, end=min(wanted.end, now))
        self._ahead = ahead
        self._bounds = bounds
        self._hits: int | None = 0
        self._beyond: dict[int, int] = {}
        self.approximate = False

    @property
    def total(self) -> int | None:
        return None if self._hits is None else self._hits + sum(self._beyond.values())

    def pages(self) -> Generator[ConversationPage]:
        """Yield the pages of every slice."""
        for start, end in slices(self._wanted.start, self._wanted.end, self._bounds.days):
            wanted = replace(self._wanted, start=start, end=end)
            first = self._first(wanted)
            if _more_than(self._bounds.large, first) and (yield from self._by_job(wanted)):
                continue
            self.approximate = True
            yield from self._by_query(wanted, first, counted=False)

    def _by_query(
        self, wanted: Wanted, first: ConversationPage | None, *, counted: bool
    ) -> Generator[ConversationPage]:
        """Yield a slice's pages, in halves where they are too many.

        The halves of a slice that was counted add nothing: what overlaps them is in both.
        """
        before = self._hits
        if _more_than(self._bounds.hits, first):
            if first is not None and not counted:
                self._hits = _sum(before, first.total)
            for half in halves(wanted, self._bounds):
                known = counted or first is not None
                yield from self._by_query(half, self._first(half), counted=known)
            return
        for page in self._numbered(wanted, first):
            if not counted:
                self._hits = _sum(before, page.total)
            self._note(page)
            yield page

    def _by_job(self, wanted: Wanted) -> Generator[ConversationPage, None, bool]:
        """Yield a slice's pages out of a job; returns False, having yielded none, without one."""
        with ExitStack() as stack:
            try:
                if not self._is_available(wanted.end):
                    return False
                job = stack.enter_context(AnalyticsJob(self._session, wanted))
                job.wait()
            except (ApiError, PagingError) as error:
                log.warning("The query reads what a job should have: %s", error)
                return False
            seen: set[int] = set()
            before = self._hits
            for page in job.pages():
                seen.update(map(hash, page.sizes))
                self._hits = _sum(before, len(seen))
                self._note(page)
                yield page
        return True

    def _is_available(self, end: datetime) -> bool:
        body = self._session.read(
            profile.AVAILABILITY, "the availability of analytics jobs", permission=TO_ANALYSE
        )
        available = profile.parse_availability(body)
        return available is not None and available >= end

    def _numbered(
        self, wanted: Wanted, first: ConversationPage | None
    ) -> NumberedPages[ConversationPage]:
        return NumberedPages(
            lambda number: first if first and number == 1 else self._page(wanted, number),
            ids=lambda page: page.sizes,
            what=f"The conversations from {wanted.start} to {wanted.end}",
            ahead=self._ahead,
            total=lambda page: page.total,
        )

    def _first(self, wanted: Wanted) -> ConversationPage | None:
        """Return the first page of a slice, None where it is refused for the number of results."""
        try:
            return self._page(wanted, 1)
        except RequestRejectedError as error:
            if not profile.is_too_many(error):
                raise
            return None

    def _page(self, wanted: Wanted, number: int) -> ConversationPage:
        body = self._session.ask(
            profile.QUERY,
            profile.query_body(wanted, number),
            f"the conversations from {wanted.start} to {wanted.end}, page {number}",
            permission=TO_ANALYSE,
        )
        return profile.parse_page(body, number, most=self._bounds.hits)

    def _note(self, page: ConversationPage) -> None:
        # Of almost every conversation one message went out; the others alone are remembered.
        self._beyond |= {hash(name): size - 1 for name, size in page.sizes.items() if size != 1}


def _more_than(most: int, first: ConversationPage | None) -> bool:
    return first is None or (first.total or 0) > most


def _sum(before: int | None, more: int | None) -> int | None:
    return None if before is None or more is None else before + more


def _exact(moment: datetime) -> datetime:
    """Return a time in UTC to the millisecond, as a query can name it."""
    if moment.tzinfo is None:
        raise ValueError("a naive time can't be asked for")
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
