"""Asks Genesys about messages whose final status never arrived, within bounds for each run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from genesys_cloud.errors import PagingError
from genesys_cloud.ledger import lost_statuses
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.lost_statuses import Awaited, Learnt
from genesys_cloud.outbound.asking import FIRST_ASK, LONGEST_DISTANCE
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.workflows.reconciling import AFTER, BEFORE, Lister

log = logging.getLogger(__name__)

MOST_ASKED = 10_000
"""Messages that one run asks about."""

MOST_PAGES = 500
"""Pages after which a run begins no further window: a ninth of what an account may ask for in 15
minutes, so that sends keep the rest."""

LONGEST_WINDOW = timedelta(minutes=30)
"""How far apart the messages of one window were sent; it is read as a whole."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of asking.

    `moved` messages have a later status than before. `still_open` have no final one, whether they
    moved or not; `not_listed` the API does not show, and they stay as they are. `unasked` were due
    and got no answer: the run's bounds were reached, or the list contradicted itself.
    """

    moved: int = 0
    still_open: int = 0
    not_listed: int = 0
    unasked: int = 0

    def after(self, learnt: Learnt, asked: int) -> Asked:
        """Return the sums once a window's answers are recorded."""
        return Asked(
            moved=self.moved + learnt.moved,
            still_open=self.still_open + learnt.still_open,
            not_listed=self.not_listed + learnt.not_listed,
            unasked=self.unasked - asked,
        )


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one run asks for."""

    messages: int = MOST_ASKED
    pages: int = MOST_PAGES


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, kw_only=True)
class Window:
    """An interval to list, and the messages that were created in it."""

    start: datetime
    end: datetime
    awaited: Sequence[Awaited]


def ask(
    ledger: Ledger,
    lister: Lister,
    *,
    now: datetime,
    first: timedelta = FIRST_ASK,
    campaign_id: str | None = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> Asked:
    """Ask about every message that is due, and move those that the API knows better.

    `first` is how old a message's last status must be. Each window is recorded before the next one
    is read, so that a run that is interrupted has lost nothing.
    """
    due = lost_statuses.due(
        ledger, now=now, first=first, most=bounds.messages, campaign_id=campaign_id
    )
    total, pages = Asked(unasked=len(due)), 0
    for window in windows(due):
        if pages >= bounds.pages:
            log.warning(
                "%s messages wait for the next run: this one has read enough", total.unasked
            )
            break
        answer = _list(lister, window)
        pages += answer.pages
        if answer.whole:
            learnt = lost_statuses.learn(
                ledger, window.awaited, answer.deliveries, now=now, first=first
            )
            total = total.after(learnt, len(window.awaited))
        else:
            lost_statuses.put_off(ledger, window.awaited, until=now + LONGEST_DISTANCE)
    return total


def windows(due: Sequence[Awaited]) -> Iterator[Window]:
    """Yield the intervals to list for messages that come in the order of their sends.

    Messages whose intervals overlap share one, up to LONGEST_WINDOW from the first to the last.
    """
    part: list[Awaited] = []
    for one in due:
        if part and not _share(part, one):
            yield _window(part)
            part = []
        part.append(one)
    if part:
        yield _window(part)


def _share(part: Sequence[Awaited], one: Awaited) -> bool:
    near = one.attempted_at - BEFORE <= part[-1].attempted_at + AFTER
    return near and one.attempted_at - part[0].attempted_at <= LONGEST_WINDOW


def _window(part: Sequence[Awaited]) -> Window:
    start, end = part[0].attempted_at - BEFORE, part[-1].attempted_at + AFTER
    return Window(start=start, end=end, awaited=tuple(part))


@dataclass(kw_only=True)
class _Answer:
    deliveries: list[Delivery] = field(default_factory=list)
    pages: int = 0
    whole: bool = True


def _list(lister: Lister, window: Window) -> _Answer:
    """Read a window's pages until every message has been seen, and keep theirs alone."""
    wanted = {one.message_id for one in window.awaited}
    missing, answer = set(wanted), _Answer()
    try:
        for page in lister.pages(window.start, window.end):
            answer.pages += 1
            mine = [one for one in page.deliveries if one.message_id in wanted]
            answer.deliveries += mine
            missing -= {one.message_id for one in mine}
            if not missing:
                break
    except PagingError as error:
        # One interval that can't be listed must not keep the others from being asked about.
        log.warning("%s messages are asked about again in a day: %s", len(window.awaited), error)
        answer.whole = False
    return answer
