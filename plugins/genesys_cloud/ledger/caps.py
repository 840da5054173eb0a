"""Caps: how often one address is written to over a rolling time, and how many get a campaign.

What counts is what may have reached somebody: accepted, on its way, or unknown. An address counts
on its channel only, over all campaigns; a test counts nowhere.

No index leads from an address to its messages: written in the order of digests, it would add a
fifth to what an attempt costs. An address is looked for in each occurrence of the channel that sent
anything in the time that counts, by the index that keeps it from being there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from genesys_cloud.ledger.plans import Plan, overtaken
from genesys_cloud.ledger.row_sets import NUMBER, TEXT, encoded, row_set
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.messages import IN_FLIGHT, WAITING, State

CAPPED = "capped"
CAMPAIGN_CAP = "campaign_cap"

REACHED = (State.ATTEMPTING, State.ACCEPTED, State.UNKNOWN)
"""What has reached its recipient, or may have."""

TAKEN = frozenset({State.ACCEPTED, State.UNKNOWN}) | IN_FLIGHT
"""What uses up a campaign's cap besides what is planned."""

NOTED_EVERY = timedelta(hours=1)
"""How far behind the note of an occurrence's last attempt may be: a batch costs no write for it."""

_other = messages.alias("other")
_own = occurrences.alias("own")
# Which attempts count is asked of each of them later; the note of the last one may be behind.
_SENT_SINCE = (occurrences.c.last_attempt_at > bindparam("noted_since")) & ~occurrences.c.is_test
_OTHERS = (
    select(occurrences.c.id)
    .join(_own, (_own.c.channel == occurrences.c.channel) & (_own.c.id != occurrences.c.id))
    .where(
        _own.c.id == bindparam("within"),
        _SENT_SINCE,
    )
)


def full(
    connection: Connection, occurrence_id: int, ids: Sequence[int], *, cap: int, since: datetime
) -> set[int]:
    """Return which messages of an occurrence, by row id, go to addresses that had `cap` or more
    after `since`.

    Whoever asks before an attempt holds the audit trail's lock, so that two campaigns at once can't
    both take the last place.
    """
    sought = {"within": occurrence_id, "noted_since": since - NOTED_EVERY}
    others = connection.execute(_OTHERS, sought).scalars().all()
    if len(others) < cap:
        return set()  # an occurrence has one message for an address
    span = {"first": min(ids), "last": max(ids)}
    scope = {**encoded([{"id": one} for one in ids]), **span}
    scope |= {"others": others, "cap": cap, "since": since}
    return set(connection.execute(_full(connection.dialect.name), scope).scalars())


def full_addresses(
    connection: Connection,
    keys: Sequence[str],
    *,
    channel: str,
    but: ColumnElement[bool],
    cap: int,
    since: datetime,
) -> set[str]:
    """Return which addresses of a channel, by their keys, had `cap` messages or more after `since`.

    What the occurrences sent that `but` says does not count.
    """
    query = select(occurrences.c.id).where(occurrences.c.channel == channel, _SENT_SINCE, ~but)
    others = connection.execute(query, {"noted_since": since - NOTED_EVERY}).scalars().all()
    if len(others) < cap:
        return set()
    scope = encoded([{"address_key": key} for key in keys])
    told = {**scope, "others": others, "cap": cap, "since": since}
    return set(connection.execute(_full_addresses(connection.dialect.name), told).scalars())


def note_attempt(
    connection: Connection, occurrence_id: int, now: datetime, noted_at: datetime | None = None
) -> None:
    """Note that an occurrence sends, where its last note (`noted_at`) is too old or missing."""
    if noted_at is None or noted_at <= now - NOTED_EVERY:
        connection.execute(_NOTE, {"within": occurrence_id, "now": now})


def block_excess(connection: Connection, plan: Plan, *, most: int, now: datetime) -> list[Row[Any]]:
    """Block who is planned beyond an occurrence's cap, the last first; return their keys and plans.

    From then on the occurrence may be sent. Raises PlanOvertakenError where it was planned anew.
    """
    this = (occurrences.c.id == plan.occurrence_id, occurrences.c.plan_no == plan.number)
    capped = update(occurrences).where(*this).values(capped_plan_no=plan.number)
    if not connection.execute(capped).rowcount:
        raise overtaken(plan)
    own = messages.c.occurrence_id == plan.occurrence_id
    taken = select(func.count()).where(own, messages.c.state.in_(TAKEN))
    left = max(0, most - connection.execute(taken).scalar_one())
    waiting = select(messages.c.id).where(own, messages.c.state.in_(WAITING))
    first = connection.execute(waiting.order_by(messages.c.id).offset(left).limit(1)).scalar()
    if first is None:
        return []
    why = campaign_sentence(most)
    scope = {"within": plan.occurrence_id, "first": first, "now": now, "why": why}
    return list(connection.execute(_EXCESS, scope))


def campaign_sentence(most: int) -> str:
    """Return why a recipient beyond a campaign's cap gets nothing."""
    return f"The campaign goes to {most:,} recipients at most, and they are before this one."


def recipient_sentence(cap: int, days: int) -> str:
    """Return why a recipient who has had enough gets nothing."""
    return f"The address has had {cap} messages of all campaigns within {days} days, the most."


_NOTE = (
    update(occurrences)
    .where(
        occurrences.c.id == bindparam("within"),
        # A clock that lags does not take back what another wrote.
        occurrences.c.last_attempt_at.is_(None)
        | (occurrences.c.last_attempt_at < bindparam("now")),
    )
    .values(last_attempt_at=bindparam("now"))
)
_EXCESS: ReturningUpdate[Any] = (
    update(messages)
    .where(
        messages.c.occurrence_id == bindparam("within"),
        messages.c.state.in_(WAITING),
        messages.c.id >= bindparam("first"),
    )
    .values(
        state=State.BLOCKED,
        held_until=None,
        settled_at=bindparam("now"),
        reason_code=CAMPAIGN_CAP,
        reason=bindparam("why"),
    )
    .returning(messages.c.message_key, messages.c.plan_no)
)


# Named one by one: joined to their table, a planner without statistics reads all of it.
_REACHED = (
    _other.c.occurrence_id.in_(bindparam("others", expanding=True))
    & (_other.c.attempted_at > bindparam("since"))
    & _other.c.state.in_(REACHED)
)


@cache
def _full(dialect: str) -> Select[Any]:
    ids = select(row_set(dialect, {"id": NUMBER}).c.id)
    return (
        select(messages.c.id)
        .join(_other, _other.c.address_key == messages.c.address_key)
        .where(
            messages.c.id.in_(ids),
            messages.c.id.between(bindparam("first"), bindparam("last")),
            _REACHED,
        )
        .group_by(messages.c.id)
        .having(func.count() >= bindparam("cap"))
    )


@cache
def _full_addresses(dialect: str) -> Select[Any]:
    own = row_set(dialect, {"address_key": TEXT})
    return (
        select(own.c.address_key)
        .join(_other, _other.c.address_key == own.c.address_key)
        .where(_REACHED)
        .group_by(own.c.address_key)
        .having(func.count() >= bindparam("cap"))
    )
