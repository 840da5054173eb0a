"""Blocks messages to people who must not be written to, whatever the audience says of them.

It happens when a plan ends, and again when a batch is about to be attempted, so that a decision
made in mid-campaign holds from the next batch on. One indexed statement finds whom the ledger knows
anything about; the rules themselves are in outbound/consent.py and caps.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from genesys_cloud.ledger import audit, caps
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.consents import recorded
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.row_sets import NUMBER, TEXT, encoded, row_set
from genesys_cloud.ledger.suppressions import REASON_CODE as SUPPRESSED
from genesys_cloud.ledger.tables import consents, messages, occurrences, suppressions
from genesys_cloud.outbound import consent
from genesys_cloud.outbound.consent import ConsentFrom, Recorded
from genesys_cloud.outbound.messages import WAITING, State

PAGE = 10_000
"""Rows among which one transaction looks."""

SENTENCES: Mapping[str, str] = {
    **consent.SENTENCES,
    SUPPRESSED: "The address is on the suppression list.",
}
IN_FORCE = suppressions.c.expires_at.is_(None) | (suppressions.c.expires_at > bindparam("now"))
# Joined, for PostgreSQL reads a list in `IN (SELECT …)` from end to end, batch after batch.
_LISTED = (suppressions.c.address_key == messages.c.address_key) & IN_FORCE
_SUPPRESSED = suppressions.c.address_key.is_not(None)
_SUSPECTS = (
    select(
        messages.c.id,
        messages.c.message_key,
        messages.c.plan_no,
        messages.c.occurrence_id,
        messages.c.held_until,
        messages.c.consent_expires_at.label("row_expires_at"),
        occurrences.c.campaign_id,
        occurrences.c.purpose.label("campaign_purpose"),
        occurrences.c.consent_from,
        occurrences.c.recipient_cap,
        occurrences.c.recipient_cap_days,
        _SUPPRESSED.label("suppressed"),
        consents.c.state,
        consents.c.purpose,
        consents.c.decided_at,
        consents.c.expires_at,
    )
    .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
    .outerjoin(suppressions, _LISTED)
    .outerjoin(consents, consents.c.address_key == messages.c.address_key)
    .where(
        or_(
            _SUPPRESSED,
            consents.c.id.is_not(None),
            messages.c.consent_expires_at <= bindparam("now"),
            occurrences.c.consent_from != ConsentFrom.AUDIENCE,
            occurrences.c.recipient_cap.is_not(None),
        )
    )
    .order_by(messages.c.id)
)
# Says nothing new of a batch, but a planner that has no statistics yet reads no more than that.
_SPAN = messages.c.id.between(bindparam("first"), bindparam("last"))
_PLANNED_SUSPECTS = _SUSPECTS.where(
    _SPAN, messages.c.occurrence_id == bindparam("within"), messages.c.state.in_(WAITING)
)


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """A message that is not to go out."""

    id: int
    message_key: str
    plan_no: int
    campaign_id: str
    held_until: datetime | None
    code: str
    why: str


Gone = Callable[[Mapping[int, datetime | None]], None]
"""Is told who was blocked, by row id, and until when they were held."""


def block_claimed(connection: Connection, ids: Sequence[int], now: datetime) -> frozenset[int]:
    """Block them among claimed messages, and return which those are."""
    if not ids:
        return frozenset()
    span = {"first": min(ids), "last": max(ids)}
    scope = {**encoded([{"id": one} for one in ids]), **span, "now": now}
    suspects = connection.execute(_claimed_suspects(connection.dialect.name), scope).mappings()
    entry = AuditEntry(at=now, actor="send task", action="send.blocked", new_status=State.BLOCKED)
    blocked = _block(connection, _verdicts(connection, suspects, now), {State.CLAIMED}, entry)
    return frozenset(one.id for one in blocked)


def block_planned(
    ledger: Ledger,
    plan: Plan,
    now: datetime,
    *,
    actor: str = "plan task",
    most: int | None = None,
    gone: Gone | None = None,
) -> Counter[str]:
    """Block them among a plan's recipients, and return how many for which reason.

    `most` is how many recipients the occurrence may have, None for all. `gone` is told of all but
    those who are beyond that.
    """
    entry = AuditEntry(at=now, actor=actor, action="plan.blocked", new_status=State.BLOCKED)
    counted: Counter[str] = Counter()
    first: int | None = 0
    while first is not None:
        blocked: list[_Verdict] = []
        with ledger.write() as connection:
            first = _next(connection, plan, first)
            if first is not None:
                blocked = _block_page(connection, plan, first, entry)
                first += PAGE
        counted.update(one.code for one in blocked if one.plan_no == plan.number)
        if blocked and gone is not None:
            gone({one.id: one.held_until for one in blocked})
    if most is not None:
        counted[caps.CAMPAIGN_CAP] = _block_excess(ledger, plan, most, entry)
    return +counted


def _next(connection: Connection, plan: Plan, first: int) -> int | None:
    """Return the next of an occurrence's messages that wait, by row id."""
    own = messages.c.occurrence_id == plan.occurrence_id
    # A search for each state: for both at once, it would read all that are left.
    found = [
        connection.execute(
            select(func.min(messages.c.id)).where(
                own, messages.c.state == state, messages.c.id >= first
            )
        ).scalar()
        for state in WAITING
    ]
    return min((one for one in found if one is not None), default=None)


def _block_page(
    connection: Connection, plan: Plan, first: int, entry: AuditEntry
) -> list[_Verdict]:
    span = {"first": first, "last": first + PAGE - 1}
    scope = {"within": plan.occurrence_id, **span, "now": entry.at}
    suspects = connection.execute(_PLANNED_SUSPECTS, scope).mappings()
    verdicts = _verdicts(connection, suspects, entry.at)
    return _block(connection, verdicts, WAITING, entry)


@cache
def _claimed_suspects(dialect: str) -> Select[Any]:
    ids = select(row_set(dialect, {"id": NUMBER}).c.id)
    return _SUSPECTS.where(_SPAN, messages.c.id.in_(ids), messages.c.state == State.CLAIMED)


def _verdicts(
    connection: Connection, suspects: Iterable[RowMapping], now: datetime
) -> list[_Verdict]:
    """Return which of the suspects are not to go out, and why."""
    found: list[_Verdict] = []
    capped: dict[tuple[int, int, int], list[RowMapping]] = defaultdict(list)
    for _, group in groupby(suspects, key=lambda row: row["id"]):
        rows = list(group)
        first = rows[0]
        if code := _refusal(rows, now):
            found.append(_verdict(first, code, SENTENCES[code]))
        elif first["recipient_cap"] is not None:
            rule = (first["occurrence_id"], first["recipient_cap"], first["recipient_cap_days"])
            capped[rule].append(first)
    for (occurrence_id, cap, days), rows in capped.items():
        ids, since = [row["id"] for row in rows], now - timedelta(days=days)
        full = caps.full(connection, occurrence_id, ids, cap=cap, since=since)
        why = caps.recipient_sentence(cap, days)
        found += [_verdict(row, caps.CAPPED, why) for row in rows if row["id"] in full]
    return found


def refusal(
    decisions: Collection[Recorded],
    *,
    suppressed: bool,
    purpose: str,
    consent_from: ConsentFrom,
    row_expires_at: datetime | None,
    now: datetime,
) -> str | None:
    """Return the code of what the ledger has against writing to somebody, None for nothing.

    `row_expires_at` is when the consent ends that the contact list told of.
    """
    if suppressed:
        return SUPPRESSED
    code = consent.refusal(decisions, purpose=purpose, consent_from=consent_from, at=now)
    lapsed = row_expires_at is not None and row_expires_at <= now
    return code or (consent.EXPIRED if lapsed else None)


def _refusal(rows: Sequence[RowMapping], now: datetime) -> str | None:
    first = rows[0]
    return refusal(
        [recorded(row) for row in rows if row["state"] is not None],
        suppressed=first["suppressed"],
        purpose=first["campaign_purpose"],
        consent_from=ConsentFrom(first["consent_from"]),
        row_expires_at=first["row_expires_at"],
        now=now,
    )


def _verdict(row: RowMapping, code: str, why: str) -> _Verdict:
    return _Verdict(
        id=row["id"],
        message_key=row["message_key"],
        plan_no=row["plan_no"],
        campaign_id=row["campaign_id"],
        held_until=row["held_until"],
        code=code,
        why=why,
    )


def _block(
    connection: Connection, verdicts: Sequence[_Verdict], states: Set[State], entry: AuditEntry
) -> list[_Verdict]:
    """Block those that are still in one of the states, audit it, and return them."""
    if not verdicts:
        return []
    audit.lock(connection)  # before the messages, as everybody does
    told = [{"id": one.id, "code": one.code, "why": one.why} for one in verdicts]
    scope = {**encoded(told), "now": entry.at, "was": sorted(states)}
    ids = set(connection.execute(_block_those(connection.dialect.name), scope).scalars())
    blocked = [one for one in verdicts if one.id in ids]
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in blocked:
        keys[one.campaign_id, one.code].append(one.message_key)
    for (campaign_id, code), some in keys.items():
        about = replace(entry, campaign_id=campaign_id, details={"reason": code})
        audit.append(connection, audit.about_many(about, some))
    return blocked


def _block_excess(ledger: Ledger, plan: Plan, most: int, entry: AuditEntry) -> int:
    about = replace(entry, campaign_id=plan.campaign_id, details={"reason": caps.CAMPAIGN_CAP})
    with ledger.write() as connection:
        audit.lock(connection)  # before the messages, as everybody does
        blocked = caps.block_excess(connection, plan, most=most, now=entry.at)
        audit.append(connection, audit.about_many(about, [row.message_key for row in blocked]))
    return sum(row.plan_no == plan.number for row in blocked)


@cache
def _block_those(dialect: str) -> ReturningUpdate[Any]:
    row = row_set(dialect, {"id": NUMBER, "code": TEXT, "why": TEXT})
    return (
        update(messages)
        .where(messages.c.id == row.c.id, messages.c.state.in_(bindparam("was", expanding=True)))
        .values(
            state=State.BLOCKED,
            lease_until=None,
            held_until=None,
            settled_at=bindparam("now"),
            reason_code=row.c.code,
            reason=row.c.why,
        )
        .returning(messages.c.id)
    )
