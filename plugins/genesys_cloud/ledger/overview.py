"""All campaigns at a glance, a page at a time, from counts and not from messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select, true

from genesys_cloud.ledger import counts, tempo
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.funnel import Funnel, funnel
from genesys_cloud.ledger.page_tables import sends_per_minute
from genesys_cloud.ledger.tables import campaigns as _campaigns
from genesys_cloud.ledger.tables import occurrences

DEFAULT_DAG = "send_campaign"
"""The DAG whose rights count where nobody noted which one planned."""

PLANNED_BY = func.coalesce(occurrences.c.dag_id, DEFAULT_DAG)
"""The DAG by whose rights an occurrence is seen."""


@dataclass(frozen=True, kw_only=True)
class CampaignSummary:
    """A campaign, of which only the occurrences that the viewer may see are counted.

    `funnel` is without tests, `tests` are those alone; `in_flight` messages are in a worker's hands
    now. `per_minute` is how many attempts a minute were settled lately, 0 where it does not send;
    `seconds_left` is None where nothing is left, or nobody can say how long it takes.
    `not_before`, `deadline`, `last_dag_id`, `last_run_id` and whether its plan is `approved`, or
    need not be, are the newest occurrence's that is no test, if there is one.
    """

    campaign_id: str
    state: str
    reason: str | None = field(repr=False)
    channels: tuple[str, ...]
    dag_ids: tuple[str, ...]
    occurrences: int
    test_occurrences: int
    funnel: Funnel
    tests: Funnel
    in_flight: int
    per_minute: float
    seconds_left: float | None
    last_activity: datetime
    not_before: datetime | None
    deadline: datetime | None
    last_dag_id: str
    last_run_id: str | None
    approved: bool


@dataclass(frozen=True, kw_only=True)
class CampaignsPage:
    """Campaigns, the latest activity first; `before` asks for the next page, None at the end."""

    campaigns: Sequence[CampaignSummary]
    before: str | None


def campaigns(
    ledger: Ledger,
    *,
    now: datetime,
    dag_ids: frozenset[str] | None,
    search: str = "",
    before: str | None = None,
    limit: int = 25,
) -> CampaignsPage:
    """Return a page of the campaigns that `dag_ids` planned, of all where it is None.

    `search` is a part of their ids. `before` is what the page before gave.
    """
    listed = _listed(dag_ids)
    if search:
        listed = listed.where(_campaigns.c.campaign_id.icontains(search, autoescape=True))
    active = listed.subquery()
    query = select(active).order_by(active.c.last_activity.desc(), active.c.campaign_id)
    if before:
        query = query.where(_after(active.c, before))
    counts.fold_many(ledger)
    with ledger.read() as connection:
        rows = connection.execute(query.limit(limit + 1)).all()
        shown = _summaries(connection, rows[:limit], dag_ids, now)
    more = len(rows) > limit
    return CampaignsPage(campaigns=shown, before=_cursor(rows[limit - 1]) if more else None)


def campaign(
    ledger: Ledger,
    campaign_id: str,
    *,
    now: datetime,
    dag_ids: frozenset[str] | None,
) -> CampaignSummary | None:
    """Return one campaign, None where there is none that the viewer may see."""
    query = _listed(dag_ids).where(_campaigns.c.campaign_id == campaign_id)
    counts.fold_many(ledger)
    with ledger.read() as connection:
        rows = connection.execute(query).all()
        found = _summaries(connection, rows, dag_ids, now)
    return found[0] if found else None


def visible(dag_ids: frozenset[str] | None) -> ColumnElement[bool]:
    """The condition that an occurrence may be seen by who may see these DAGs."""
    if dag_ids is None:
        return true()
    return PLANNED_BY.in_(dag_ids)


def _listed(dag_ids: frozenset[str] | None) -> Select[Any]:
    """Select the campaigns that may be seen, and when something was last done with each."""
    sent, planned = occurrences.c.last_attempt_at, occurrences.c.planned_at
    latest = func.max(case((sent > planned, sent), else_=planned))
    real = case((~occurrences.c.is_test, occurrences.c.id))
    changed = _campaigns.c.changed_at
    return (
        select(
            _campaigns.c.campaign_id,
            _campaigns.c.state,
            _campaigns.c.reason,
            case((latest > changed, latest), else_=changed).label("last_activity"),
            func.coalesce(func.max(real), func.max(occurrences.c.id)).label("latest_id"),
        )
        .join(occurrences, occurrences.c.campaign_id == _campaigns.c.campaign_id)
        .where(visible(dag_ids))
        .group_by(_campaigns.c.campaign_id)
    )


def _after(columns: Any, cursor: str) -> Any:
    """The condition that a campaign comes after the one that a cursor names."""
    at, _, campaign_id = cursor.partition(" ")
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        return true()
    latest = columns.last_activity
    return (latest < moment) | ((latest == moment) & (columns.campaign_id > campaign_id))


def _cursor(row: Row[Any]) -> str:
    return f"{row.last_activity.isoformat()} {row.campaign_id}"


def _summaries(
    connection: Connection,
    rows: Sequence[Row[Any]],
    dag_ids: frozenset[str] | None,
    now: datetime,
) -> list[CampaignSummary]:
    """Return a page's campaigns, by a fixed number of queries."""
    if not rows:
        return []
    ids, seen = [row.campaign_id for row in rows], visible(dag_ids)
    kinds = _kinds(connection, ids, seen)
    counted = counts.of_campaigns(connection, ids, seen)
    busy = counts.in_flight(connection, ids, seen)
    paces = tempo.paces(connection, ids, now, seen)
    latest = _latest(connection, [row.latest_id for row in rows])
    summaries: list[CampaignSummary] = []
    for row in rows:
        sending, last = funnel(counted.get((row.campaign_id, False), ())), latest[row.latest_id]
        pace = paces.get(row.campaign_id, tempo.Pace())
        approved = last.plan_digest in (None, last.approved_digest)
        summaries.append(
            CampaignSummary(
                campaign_id=row.campaign_id,
                state=row.state,
                reason=row.reason,
                channels=tuple(sorted({one.channel for one in kinds[row.campaign_id]})),
                dag_ids=tuple(sorted({one.dag_id for one in kinds[row.campaign_id]})),
                occurrences=sum(o.number for o in kinds[row.campaign_id] if not o.is_test),
                test_occurrences=sum(o.number for o in kinds[row.campaign_id] if o.is_test),
                funnel=sending,
                tests=funnel(counted.get((row.campaign_id, True), ())),
                in_flight=busy.get(row.campaign_id, 0),
                per_minute=pace.per_minute,
                seconds_left=tempo.seconds_left(
                    sending.left,
                    pace.per_minute,
                    allowed=last.messages_per_minute,
                    now=now,
                    not_before=last.not_before,
                )
                if row.state == "active" and approved
                else None,
                last_activity=max(filter(None, (row.last_activity, pace.last, last.sent_at))),
                not_before=last.not_before,
                deadline=last.deadline,
                last_dag_id=last.dag_id or DEFAULT_DAG,
                last_run_id=last.run_id,
                approved=approved,
            )
        )
    return summaries


def _kinds(
    connection: Connection, campaign_ids: Sequence[str], seen: ColumnElement[bool]
) -> Mapping[str, list[Row[Any]]]:
    """Return how many occurrences of which channel and DAG each campaign has, tests or not."""
    dag_id = PLANNED_BY.label("dag_id")
    told = (occurrences.c.campaign_id, occurrences.c.is_test, occurrences.c.channel, dag_id)
    query = select(*told, func.count().label("number")).group_by(*told)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query.where(told[0].in_(campaign_ids), seen)):
        found[row.campaign_id].append(row)
    return found


def _latest(connection: Connection, ids: Sequence[int]) -> Mapping[int, Any]:
    """Return what planned, paces and ends the occurrences, by their ids, and when they last sent.

    Attempts themselves are noted once an hour; the minutes are counted.
    """
    sent_at = select(func.max(sends_per_minute.c.minute)).where(
        sends_per_minute.c.occurrence_id == occurrences.c.id
    )
    query = select(
        occurrences.c.id,
        occurrences.c.dag_id,
        occurrences.c.run_id,
        occurrences.c.not_before,
        occurrences.c.deadline,
        occurrences.c.messages_per_minute,
        occurrences.c.plan_digest,
        occurrences.c.approved_digest,
        sent_at.scalar_subquery().label("sent_at"),
    ).where(occurrences.c.id.in_(ids))
    return {row.id: row for row in connection.execute(query)}
