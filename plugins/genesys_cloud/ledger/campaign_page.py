"""One campaign from near: its occurrences, its pace, and its timeline.

Everything is asked for the occurrences that the viewer may see: those that `dag_ids` planned, all
where it is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from genesys_cloud.ledger import counts
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.funnel import Funnel, funnel
from genesys_cloud.ledger.overview import DEFAULT_DAG, visible
from genesys_cloud.ledger.page_tables import sends_per_minute
from genesys_cloud.ledger.tables import ABOUT_A_CAMPAIGN, audit_entries
from genesys_cloud.ledger.tables import occurrences as _table
from genesys_cloud.outbound.messages import State

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class OccurrenceRow:
    """One occurrence; `approved_by` is None where nobody approved the plan as it is now."""

    id: int
    occurrence: str
    dag_id: str
    run_id: str | None
    is_test: bool
    channel: str
    sender: str
    profile: str
    template: str
    template_version: str
    audience: str
    plan_no: int
    planned_at: datetime
    not_before: datetime | None
    deadline: datetime | None
    messages_per_minute: int | None
    approved_by: str | None
    approved_at: datetime | None
    funnel: Funnel


@dataclass(frozen=True, kw_only=True)
class OccurrencesPage:
    """Occurrences, the newest first; `before` asks for the next page, None at the end."""

    occurrences: Sequence[OccurrenceRow]
    before: int | None


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """How many attempts were settled in `width` from `start` on, tests left out."""

    start: datetime
    width: timedelta
    accepted: int
    rejected: int
    unknown: int


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One audit entry about the campaign as a whole; `details` name no person."""

    seq: int
    at: str
    actor: str
    action: str
    details: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TimelinePage:
    """Entries, the newest first; `before` asks for the next page, None at the end."""

    entries: Sequence[TimelineEntry]
    before: int | None


def occurrences(
    ledger: Ledger,
    campaign_id: str,
    *,
    dag_ids: frozenset[str] | None,
    before: int | None = None,
    limit: int = 25,
) -> OccurrencesPage:
    """Return a page of a campaign's occurrences, each with its counts."""
    query = _seen(campaign_id, dag_ids, *_table.c).order_by(_table.c.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(_table.c.id < before)
    counts.fold_many(ledger)
    with ledger.read() as connection:
        rows = connection.execute(query).all()
        counted = counts.of_occurrences(connection, [row.id for row in rows[:limit]])
    shown = [_occurrence(row, funnel(counted.get(row.id, ()))) for row in rows[:limit]]
    more = len(rows) > limit
    return OccurrencesPage(occurrences=shown, before=shown[-1].id if more else None)


def pace(
    ledger: Ledger, campaign_id: str, *, dag_ids: frozenset[str] | None, most: int = 120
) -> Sequence[Bucket]:
    """Return what was sent over time in `most` buckets at the most, all as many minutes wide."""
    ids = _seen(campaign_id, dag_ids, _table.c.id).where(~_table.c.is_test)
    minute, state = sends_per_minute.c.minute, sends_per_minute.c.state
    query = (
        select(minute, state, func.sum(sends_per_minute.c.messages))
        .where(sends_per_minute.c.occurrence_id.in_(ids))
        .group_by(minute, state)
    )
    with ledger.read() as connection:
        rows = [(at, word, int(number)) for at, word, number in connection.execute(query)]
    return _buckets(rows, most)


def timeline(
    ledger: Ledger,
    campaign_id: str,
    *,
    dag_ids: frozenset[str] | None,
    before: int | None = None,
    limit: int = 50,
) -> TimelinePage:
    """Return a page of what was done with the campaign as a whole, nothing of its messages.

    Without what is about an occurrence out of sight; empty where none is in sight.
    """
    seq = audit_entries.c.seq
    of_occurrence = audit_entries.c.details["occurrence"].as_string()
    in_sight = _seen(campaign_id, dag_ids, _table.c.occurrence)
    query = (
        select(
            seq, audit_entries.c.at, audit_entries.c.actor, audit_entries.c.action,
            audit_entries.c.details,
        )
        .where(audit_entries.c.campaign_id == campaign_id, ABOUT_A_CAMPAIGN)
        .where(of_occurrence.is_(None) | of_occurrence.in_(in_sight))
        .order_by(seq.desc())
        .limit(limit + 1)
    )  # fmt: skip
    if before is not None:
        query = query.where(seq < before)
    with ledger.read() as connection:
        seen = connection.execute(_seen(campaign_id, dag_ids, _table.c.id).limit(1)).first()
        rows = connection.execute(query).mappings().all() if seen else []
    shown = [TimelineEntry(**row) for row in rows[:limit]]
    more = len(rows) > limit
    return TimelinePage(entries=shown, before=shown[-1].seq if more else None)


def _seen(campaign_id: str, dag_ids: frozenset[str] | None, *columns: Any) -> Select[Any]:
    return select(*columns).where(_table.c.campaign_id == campaign_id, visible(dag_ids))


def _occurrence(row: Any, counted: Funnel) -> OccurrenceRow:
    holds = row.approved_digest is not None and row.approved_digest == row.plan_digest
    told = {name: getattr(row, name) for name in _TOLD}
    return OccurrenceRow(
        **told,
        dag_id=row.dag_id or DEFAULT_DAG,
        approved_by=row.approved_by if holds else None,
        approved_at=row.approved_at if holds else None,
        funnel=counted,
    )


_TOLD = frozenset(OccurrenceRow.__dataclass_fields__) - {
    "dag_id", "approved_by", "approved_at", "funnel",
}  # fmt: skip


def _buckets(rows: Sequence[tuple[datetime, str, int]], most: int) -> list[Bucket]:
    if not rows:
        return []
    first, last = min(row[0] for row in rows), max(row[0] for row in rows)
    minutes = (last - first) // _MINUTE + 1
    width = -(-minutes // most)
    counted: Counter[tuple[int, str]] = Counter()
    for at, state, number in rows:
        counted[(at - first) // _MINUTE // width, state] += number
    return [
        Bucket(
            start=first + place * width * _MINUTE,
            width=width * _MINUTE,
            accepted=counted[place, State.ACCEPTED],
            rejected=counted[place, State.REJECTED],
            unknown=counted[place, State.UNKNOWN],
        )
        for place in range(-(-minutes // width))
    ]
