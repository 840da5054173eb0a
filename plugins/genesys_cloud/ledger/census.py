"""Every message of a campaign, and of its tests, as a proof needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.messages import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """One recipient of one occurrence."""

    message_key: str
    address: str
    state: State
    message_id: str | None
    conversation_id: str | None
    settled_by_person: bool
    attempted_at: datetime | None


def census(ledger: Ledger, campaign_id: str, *, tests: bool = False) -> list[Counted]:
    """Return every recipient of a campaign, or of its tests, in the order of the plan."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(
                messages.c.message_key,
                messages.c.address,
                messages.c.state,
                messages.c.api_message_id,
                messages.c.conversation_id,
                messages.c.reason_code,
                messages.c.attempted_at,
            )
            .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
            .where(occurrences.c.campaign_id == campaign_id, occurrences.c.is_test.is_(tests))
            .order_by(messages.c.id)
        )
        return [
            Counted(
                message_key=row.message_key,
                address=row.address,
                state=State(row.state),
                message_id=row.api_message_id,
                conversation_id=row.conversation_id,
                settled_by_person=row.reason_code == "settled_as_sent",
                attempted_at=row.attempted_at,
            )
            for row in rows
        ]
