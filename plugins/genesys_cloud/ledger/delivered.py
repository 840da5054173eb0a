"""What the ledger knows of messages that Genesys lists, for reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.deliveries import LedgerFact

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
                    messages.c.settled_at,
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
                )
    return found


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
