"""What dead workers left behind: their leases, and the messages that nobody can vouch for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from genesys_cloud.ledger import audit, error_budget
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.messages import IN_FLIGHT, State

REASON_CODE = "worker_lost"


def recover(ledger: Ledger, now: datetime, *, shard: Shard | None = None) -> int:
    """Take over what dead workers left behind, and return how many messages became unknown.

    A claim whose lease has ended was never attempted: it is planned again. An attempt whose lease
    has ended may have left: it is unknown, and nobody sends it again blindly.
    """
    ended: ColumnElement[bool] = messages.c.lease_until <= now
    if shard is not None:
        ended &= shard.holds()
    with ledger.write() as connection:
        # First, as whoever records an outcome does, or each could wait for the other's rows.
        audit.lock(connection)
        connection.execute(
            update(messages)
            .where(ended, messages.c.state == State.CLAIMED)
            .values(state=State.PLANNED, lease_until=None)
        )
        lost = (
            connection.execute(
                update(messages)
                .where(ended, messages.c.state == State.ATTEMPTING)
                .values(
                    state=State.UNKNOWN,
                    lease_until=None,
                    fence=messages.c.fence + 1,
                    settled_at=now,
                    reason_code=REASON_CODE,
                    reason="The worker ended between the attempt and the record of its outcome.",
                )
                .returning(messages.c.id)
            )
            .scalars()
            .all()
        )
        if lost:
            audit.append(connection, _entries(connection, list(lost), now))
            error_budget.check(connection, lost, now)
    return len(lost)


def lease_ends(ledger: Ledger, shard: Shard) -> datetime | None:
    """Return when the next lease of another worker in this shard ends, None where there is none."""
    with ledger.read() as connection:
        return connection.execute(
            select(func.min(messages.c.lease_until)).where(
                shard.holds(), messages.c.state.in_(IN_FLIGHT)
            )
        ).scalar()


def _entries(connection: Connection, ids: list[int], now: datetime) -> list[AuditEntry]:
    rows = connection.execute(
        select(messages.c.message_key, occurrences.c.campaign_id)
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .where(messages.c.id.in_(ids))
        .order_by(messages.c.id)
    )
    return [
        AuditEntry(
            at=now,
            actor="recovery",
            action="send.unknown",
            campaign_id=row.campaign_id,
            message_key=row.message_key,
            previous_status=State.ATTEMPTING,
            new_status=State.UNKNOWN,
            details={"reason": REASON_CODE},
        )
        for row in rows
    ]
