"""Messages that Genesys has accepted and that owe a status, for tests of who asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from genesys_cloud.ledger import audit, sends
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from tests.ledger.planted import only_shard, plant

SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=90)


def accepted(
    ledger: Ledger,
    count: int,
    *,
    at: datetime = SENT,
    occurrence: str = "once",
    conversations: Sequence[str | None] | None = None,
) -> list[str]:
    """Have messages accepted at a time, and return the ids that the API gave them."""
    shard = only_shard(ledger, plant(ledger, count, occurrence=occurrence))
    limit = Limit(name="test", most=10_000_000)
    batch = sends.claim(ledger, shard, [limit], most=count, now=at, lease=LEASE)
    sends.begin_attempt(ledger, batch, now=at, lease=LEASE)
    ids = [f"{occurrence}-{number}" for number in range(count)]
    outcomes = [
        Outcome(
            claim=claim,
            state=State.ACCEPTED,
            message_id=id_,
            conversation_id=conversation_id,
            status="queued",
        )
        for claim, id_, conversation_id in zip(
            batch.claims, ids, conversations or [None] * count, strict=True
        )
    ]
    record(ledger, outcomes, now=at)
    return ids


def rows(ledger: Ledger) -> list[Row[Any]]:
    with ledger.read() as connection:
        return list(connection.execute(select(messages).order_by(messages.c.id)))


def statuses(ledger: Ledger) -> list[str]:
    return [row.status for row in rows(ledger)]


def changes(ledger: Ledger) -> list[Any]:
    return [entry for entry in audit.read(ledger) if entry["action"] == "status.changed"]


def delivery(message_id: str, status: str, **more: Any) -> Delivery:
    return Delivery(
        message_id=message_id, channel="messaging:sms", status=status, created_at=SENT, **more
    )
