"""What people and carriers say of being written to, one word or one receipt at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.suppressions import (
    INBOUND,
    LIFTABLE,
    OPTED_OUT,
    RECEIPT,
    Suppression,
    add_within,
    note,
    own_rows,
)
from genesys_cloud.ledger.tables import messages, occurrences, suppressions
from genesys_cloud.outbound.failure_policy import Rule
from genesys_cloud.outbound.opt_outs import Choice
from genesys_cloud.outbound.scope import Scope


def opt_out(connection: Connection, choice: Choice, *, actor: str, now: datetime) -> None:
    """Suppress who asked for it, for ever."""
    entry = _entry(choice, OPTED_OUT, choice.scope)
    add_within(connection, [entry], actor=actor, now=now, said_at=choice.occurred_at)


def opt_in(connection: Connection, choice: Choice, *, actor: str, now: datetime) -> bool:
    """Lift what the person's own word or a carrier's receipt stopped; return whether there was any.

    A word that stopped everything is taken back on any channel. What was stopped after the choice
    was made stays: events come in any order.
    """
    audit.lock(connection)
    lifted = []
    for scope in Scope:
        entry = _entry(choice, "opted_in", scope)
        rows = delete(suppressions).where(
            own_rows(entry),
            suppressions.c.source.in_(LIFTABLE),
            suppressions.c.created_at <= choice.occurred_at,
        )
        if connection.execute(rows).rowcount:
            lifted.append(entry)
    note(connection, "suppression.removed", lifted, actor=actor, now=now)
    return bool(lifted)


def recipients_failed(
    connection: Connection, failed: Mapping[int, Rule], *, actor: str, now: datetime
) -> None:
    """Suppress the recipients of messages, given by row id, as their failures' rules say."""
    if not failed:
        return
    query = (
        select(messages.c.id, messages.c.address, occurrences.c.channel)
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .where(messages.c.id.in_(list(failed)), messages.c.address_key.is_not(None))
        .order_by(messages.c.id)
    )
    entries = [
        Suppression(
            channel=row.channel,
            address=row.address,
            reason=failed[row.id].reason,
            source=RECEIPT,
            expires_at=failed[row.id].expires_at(now),
        )
        for row in connection.execute(query)
    ]
    add_within(connection, entries, actor=actor, now=now)


def _entry(choice: Choice, reason: str, scope: Scope) -> Suppression:
    return Suppression(
        channel=choice.channel,
        address=choice.address,
        reason=reason,
        source=INBOUND,
        scope=scope,
    )
