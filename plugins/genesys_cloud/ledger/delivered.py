"""What the ledger knows of messages that Genesys lists, and what it learns from the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, TextClause, exists, func, or_, select

from genesys_cloud.ledger import lost_statuses
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.lost_statuses import Awaited
from genesys_cloud.ledger.tables import IN_CONVERSATION, WENT_OUT, messages, occurrences
from genesys_cloud.outbound.asking import POLLED
from genesys_cloud.outbound.deliveries import Delivery, LedgerFact, SurelyWithin
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import FINAL, Status

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
                    occurrences.c.use_active_conversation,
                    occurrences.c.is_test,
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
                    # Listed at the start of a conversation that may be days old, it can't be told
                    # from the time of its send on which day it has to be listed.
                    attempted_at=None if row.use_active_conversation else row.attempted_at,
                    status=row.status or Status.PENDING.word,
                    is_test=row.is_test,
                )
    return found


def in_conversations(ledger: Ledger, conversation_ids: Sequence[str]) -> Mapping[str, str]:
    """Return, by conversation, Genesys' id of the message that alone went out in it.

    Conversations in which the ledger has none or several, or one whose id it lacks, are left out.
    """
    found: dict[str, str] = {}
    with ledger.read() as connection:
        for start in range(0, len(conversation_ids), _IDS_PER_QUERY):
            block = list(conversation_ids[start : start + _IDS_PER_QUERY])
            rows = connection.execute(
                select(messages.c.conversation_id, func.min(messages.c.api_message_id))
                .where(IN_CONVERSATION, messages.c.conversation_id.in_(block))
                .group_by(messages.c.conversation_id)
                .having(func.count() == 1)
            )
            found.update((name, message_id) for name, message_id in rows if message_id)
    return found


def learn(ledger: Ledger, listed: Sequence[Delivery], *, now: datetime) -> int:
    """Move the messages that the API knows better, audited, and return how many moved.

    Where one in a conversation failed for no reason that the failure policy knows, its details are
    asked for at once instead: they may say that the person opted out, and `failed` is final.

    Each transaction is of a bounded number of messages, so that events don't wait for long.
    """
    moved = 0
    for start in range(0, len(listed), _IDS_PER_QUERY):
        block = listed[start : start + _IDS_PER_QUERY]
        unexplained = _unexplained(ledger, block, now)
        if unexplained:
            lost_statuses.put_off(ledger, unexplained, until=now)
        later = {one.id for one in unexplained}
        found = _awaited(ledger, [one.message_id for one in block])
        awaited = [one for one in found if one.id not in later]
        learnt = lost_statuses.learn(ledger, awaited, block, now=now, actor=ACTOR)
        moved += learnt.moved
    return moved


def accepted_within(ledger: Ledger, surely: SurelyWithin) -> int:
    """Count the messages that Genesys accepted and surely created in an interval.

    Those that went into a conversation that was there before, or share theirs, are left out: no
    list of conversations shows them one by one.
    """
    another = messages.alias()
    shared = exists().where(
        another.c.conversation_id == messages.c.conversation_id, another.c.id != messages.c.id
    )
    into_others = select(occurrences.c.id).where(occurrences.c.use_active_conversation)
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
                messages.c.occurrence_id.not_in(into_others),
                or_(messages.c.conversation_id.is_(None), ~shared),
                # Nobody is answered before the send began; the index ends the search here.
                messages.c.attempted_at < surely.answered_before,
            )
        ).scalar_one()
    return int(count)


def states_between(ledger: Ledger, start: datetime, end: datetime) -> Mapping[str, int]:
    """Count by state the recipients of what was planned in [start, end), save tests."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(messages.c.state, func.count())
            .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
            .where(*_planned_within(start, end))
            .group_by(messages.c.state)
        ).all()
    return {str(state): int(count) for state, count in rows}


def not_sent_between(
    ledger: Ledger, start: datetime, end: datetime
) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """Count, by campaign, state and reason, the recipients whom no message of Genesys' went to.

    They are those of occurrences that were planned in [start, end), save tests. The order is that
    of names.
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
            .where(*_planned_within(start, end), messages.c.state != State.ACCEPTED)
            .group_by(occurrences.c.campaign_id, messages.c.state, messages.c.reason_code)
        ).all()
    counted: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    ordered = sorted(
        (row.campaign_id, row.state, row.reason_code or NO_REASON, row.recipients) for row in rows
    )
    for campaign_id, state, reason, count in ordered:
        counted[campaign_id][state][reason] = int(count)
    return {campaign_id: dict(states) for campaign_id, states in counted.items()}


def _planned_within(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    planned_at = occurrences.c.planned_at
    return planned_at >= start, planned_at < end, ~occurrences.c.is_test


def _unexplained(ledger: Ledger, listed: Sequence[Delivery], now: datetime) -> list[Awaited]:
    """Return the messages in conversations that failed, and whose details say why."""
    failed = [
        one.message_id
        for one in listed
        if one.status == Status.FAILED.word and ledger.failures.rule(one.error_code) is None
    ]
    if not failed:
        return []
    asked_about = (
        IN_CONVERSATION,
        messages.c.status.not_in([status.word for status in FINAL]),
        messages.c.attempted_at >= now - POLLED.oldest,
    )
    return _awaited(ledger, failed, *asked_about)


def _awaited(
    ledger: Ledger, message_ids: Sequence[str], *conditions: ColumnElement[bool] | TextClause
) -> list[Awaited]:
    with ledger.read() as connection:
        rows = connection.execute(
            select(messages.c.id, messages.c.api_message_id, messages.c.attempted_at).where(
                messages.c.api_message_id.in_(list(message_ids)),
                messages.c.state == State.ACCEPTED,
                *conditions,
            )
        )
        return [
            Awaited(id=row.id, message_id=row.api_message_id, attempted_at=row.attempted_at)
            for row in rows
        ]
