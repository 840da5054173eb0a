"""Why a campaign's messages were not sent, or failed, and which ones, a page at a time.

Everything is asked for the occurrences that the viewer may see: those that `dag_ids` planned, all
where it is None. Messages with a reason are found by ix_messages_reason, the others by their state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from genesys_cloud.ledger import counts
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.funnel import FAILED, UNSPECIFIED, Count, kind_of
from genesys_cloud.ledger.overview import visible
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.messages import State, mask_address, mask_numbers
from genesys_cloud.outbound.status import Status

MOST_READ = 2_000
"""How many rows a page reads at the most: what is rare and has no reason is found by looking."""


@dataclass(frozen=True, kw_only=True)
class FailureReason:
    """So many messages were not sent, or failed, for one reason; tests are left out.

    `kind` is their state, or `failed` where Genesys took them and they did not arrive;
    `reason_code` is `unspecified` where none was given.
    """

    kind: str
    reason_code: str
    messages: int = 0


@dataclass(frozen=True, kw_only=True)
class FailedMessage:
    """One of those messages, its address masked; `at` is when it came to be so."""

    message_key: str
    occurrence: str
    masked_address: str
    language: str
    row_number: int
    state: str
    status: str | None
    reason: str | None = field(repr=False)
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class FailedMessagesPage:
    """Messages, the newest first; `before` asks for the next page, None at the end.

    A page may be short, even empty, and still have a next one: where what is looked for is rare, so
    many rows are read and no more.
    """

    messages: Sequence[FailedMessage]
    before: str | None


def reasons(
    ledger: Ledger, campaign_id: str, *, dag_ids: frozenset[str] | None
) -> Sequence[FailureReason]:
    """Return why messages were not sent, or failed, the most frequent reason first."""
    with ledger.read() as connection:
        counted = counts.of_campaigns(connection, [campaign_id], visible(dag_ids))
    found: Counter[tuple[str, str]] = Counter()
    for one in counted.get((campaign_id, False), ()):
        kind, code = _of(one)
        if kind is not None:
            found[kind, code] += one.messages
    return [
        FailureReason(kind=kind, reason_code=code, messages=number)
        for (kind, code), number in found.most_common()
    ]


def page(
    ledger: Ledger,
    campaign_id: str,
    kind: str,
    reason_code: str,
    *,
    dag_ids: frozenset[str] | None,
    before: str | None = None,
    limit: int = 50,
) -> FailedMessagesPage:
    """Return a page of the messages of one reason, as `reasons` names it."""
    last_occurrence, last_message = _parsed(before)
    why, found = FailureReason(kind=kind, reason_code=reason_code), list[FailedMessage]()
    own = (occurrences.c.campaign_id == campaign_id) & visible(dag_ids)
    with ledger.read() as connection:
        for row in _with_any(connection, own, why, last_occurrence):
            below = last_message if row.id == last_occurrence else None
            left = limit - len(found)
            rows, cursor = _page(connection, row.id, why, below=below, limit=left)
            found += [_shown(one, row.occurrence) for one in rows]
            if cursor is not None:
                return FailedMessagesPage(messages=found, before=f"{row.id}.{cursor}")
    return FailedMessagesPage(messages=found, before=None)


def _of(one: Count) -> tuple[str | None, str]:
    return kind_of(one), one.reason_code or UNSPECIFIED


def _parsed(before: str | None) -> tuple[int | None, int | None]:
    """Return occurrence and message of a cursor, None for both where it is none."""
    occurrence, _, message = (before or "").partition(".")
    if not all(part.isdecimal() and len(part) < 19 for part in (occurrence, message)):
        return None, None
    return int(occurrence), int(message)


def _with_any(
    connection: Connection, own: ColumnElement[bool], why: FailureReason, last: int | None
) -> Iterator[Any]:
    """Yield the occurrences that have such messages, the newest first."""
    query = select(occurrences.c.id, occurrences.c.occurrence).where(own, ~occurrences.c.is_test)
    if last is not None:
        query = query.where(occurrences.c.id <= last)
    rows = connection.execute(query.order_by(occurrences.c.id.desc())).all()
    counted = counts.of_occurrences(connection, [row.id for row in rows])
    for row in rows:
        if any(_of(one) == (why.kind, why.reason_code) for one in counted.get(row.id, ())):
            yield row


def _page(
    connection: Connection,
    occurrence_id: int,
    why: FailureReason,
    *,
    below: int | None,
    limit: int,
) -> tuple[Sequence[Any], int | None]:
    """Return some of an occurrence's messages, and below which id to go on, None at the end."""
    state = State.ACCEPTED if why.kind == FAILED else why.kind
    among = messages.c.occurrence_id == occurrence_id
    if why.reason_code == UNSPECIFIED:
        among &= messages.c.state == state
    else:
        among &= messages.c.reason_code == why.reason_code
    if below is not None:
        among &= messages.c.id < below
    # From the index alone, so that nothing is read in vain but what the page looks through.
    ids = select(messages.c.id).where(among).order_by(messages.c.id.desc())
    last = connection.execute(ids.offset(MOST_READ - 1).limit(1)).scalar()
    # Joined: by the order alone, PostgreSQL would walk through all newer messages, whoever's.
    looked = ids.limit(MOST_READ).subquery()
    query = select(*_COLUMNS).join(looked, looked.c.id == messages.c.id)
    query = query.where(messages.c.state == state)
    if why.kind == FAILED:
        query = query.where(messages.c.status == Status.FAILED.word)
    if why.reason_code == UNSPECIFIED:
        query = query.where(func.coalesce(messages.c.reason_code, UNSPECIFIED) == UNSPECIFIED)
    rows = connection.execute(query.order_by(messages.c.id.desc()).limit(limit)).all()
    return rows, rows[-1].id if len(rows) == limit else last


_COLUMNS = (
    messages.c.id, messages.c.message_key, messages.c.address, messages.c.language,
    messages.c.row_number, messages.c.state, messages.c.status, messages.c.reason,
    messages.c.settled_at, messages.c.status_at,
)  # fmt: skip


def _shown(row: Any, occurrence: str) -> FailedMessage:
    return FailedMessage(
        message_key=row.message_key,
        occurrence=occurrence,
        masked_address=mask_address(row.address),
        language=row.language,
        row_number=row.row_number,
        state=row.state,
        status=row.status,
        reason=row.reason and mask_numbers(row.reason),
        at=row.status_at or row.settled_at,
    )
