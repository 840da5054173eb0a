"""What the ledger knows of messages that Genesys lists, and what it learns from the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select

from genesys_cloud.ledger import lost_statuses
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.lost_statuses import Awaited
from genesys_cloud.ledger.tables import WENT_OUT, messages, occurrences
from genesys_cloud.outbound.asking import FIRST_ASK
from genesys_cloud.outbound.deliveries import Delivery, LedgerFact, SurelyWithin
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import Status

ACTOR = "delivery_report"

NO_REASON = "(none)"
"""The reason of a state that needs none, such as `planned`."""

_IDS_PER_QUERY = 500


def find(ledger: Ledger, message_ids: Sequence[str]) -> Mapping[str, LedgerFact]:
    """Return the messages that the ledger knows, by Genesys' id."""
    found: dict[str, LedgerFact] = {}
    with ledger.read() as connection:
        for start in range(0, len(message_ids), _IDS_PER_QUERY):
            block = list(message_ids[start : start + _IDS_PER_QUERY])
            rows = connection.execute(
                select(
                    messages.c.api_message_id,
                    messages.c.language,
                    messages.c.segments,
                    messages.c.attempted_at,
                    messages.c.settled_at,
                    messages.c.status,
                    occurrences.c.campaign_id,
                    occurrences.c.template,
                    occurrences.c.template_version,
                )
                .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
                .where(messages.c.api_message_id.in_(block))
            )
            for row in rows:
                found[row.api_message_id] = LedgerFact(
                    campaign_id=row.campaign_id,
                    language=row.language,
                    template=row.template,
                    template_version=row.template_version,
                    segments=row.segments,
                    accepted_at=row.settled_at,
                    attempted_at=row.attempted_at,
                    status=row.status or Status.PENDING.word,
                )
    return found


def learn(ledger: Ledger, listed: Sequence[Delivery], *, now: datetime) -> int:
    """Move the messages that the API knows better, audited, and return how many moved.

    Each transaction is of a bounded number of messages, so that events don't wait for long.
    """
    moved = 0
    for start in range(0, len(listed), _IDS_PER_QUERY):
        block = listed[start : start + _IDS_PER_QUERY]
        awaited = _awaited(ledger, [one.message_id for one in block])
        learnt = lost_statuses.learn(ledger, awaited, block, now=now, first=FIRST_ASK, actor=ACTOR)
        moved += learnt.moved
    return moved


def accepted_within(ledger: Ledger, surely: SurelyWithin) -> int:
    """Count the messages that Genesys accepted and surely created in an interval."""
    with ledger.read() as connection:
        count = connection.execute(
            select(func.count(messages.c.api_message_id.distinct())).where(
                WENT_OUT,
                messages.c.state == State.ACCEPTED,
                messages.c.api_message_id.is_not(None),
                messages.c.attempted_at >= surely.begun_from,
                or_(
                    messages.c.attempted_at < surely.begun_before,
                    messages.c.settled_at < surely.answered_before,
                ),
                # Nobody is answered before the send began; the index ends the search here.
                messages.c.attempted_at < surely.answered_before,
            )
        ).scalar_one()
    return int(count)


def states_between(ledger: Ledger, start: datetime, end: datetime) -> Mapping[str, int]:
    """Count by state the recipients of occurrences that were planned in [start, end)."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(messages.c.state, func.count())
            .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
            .where(occurrences.c.planned_at >= start, occurrences.c.planned_at < end)
            .group_by(messages.c.state)
        ).all()
    return {str(state): int(count) for state, count in rows}


def not_sent_between(
    ledger: Ledger, start: datetime, end: datetime
) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """Count, by campaign, state and reason, the recipients whom no message of Genesys' went to.

    They are those of occurrences that were planned in [start, end). The order is that of names.
    """
    with ledger.read() as connection:
        rows = connection.execute(
            select(
                occurrences.c.campaign_id,
                messages.c.state,
                messages.c.reason_code,
                func.count().label("recipients"),
            )
            .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
            .where(
                occurrences.c.planned_at >= start,
                occurrences.c.planned_at < end,
                messages.c.state != State.ACCEPTED,
            )
            .group_by(occurrences.c.campaign_id, messages.c.state, messages.c.reason_code)
        ).all()
    counted: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    ordered = sorted(
        (row.campaign_id, row.state, row.reason_code or NO_REASON, row.recipients) for row in rows
    )
    for campaign_id, state, reason, count in ordered:
        counted[campaign_id][state][reason] = int(count)
    return {campaign_id: dict(states) for campaign_id, states in counted.items()}


def _awaited(ledger: Ledger, message_ids: Sequence[str]) -> list[Awaited]:
    with ledger.read() as connection:
        rows = connection.execute(
            select(messages.c.id, messages.c.api_message_id, messages.c.attempted_at).where(
                messages.c.api_message_id.in_(list(message_ids)),
                messages.c.state == State.ACCEPTED,
            )
        )
        return [
            Awaited(id=row.id, message_id=row.api_message_id, attempted_at=row.attempted_at)
            for row in rows
        ]
