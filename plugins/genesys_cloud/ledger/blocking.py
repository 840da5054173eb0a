"""Blocks messages to people who must not be written to, whatever the audience says of them.

It happens when a plan ends, and again when a batch is about to be attempted, so that a decision
made in mid-campaign holds from the next batch on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.consents import REASON_CODE as WITHDRAWN
from genesys_cloud.ledger.consents import ConsentState
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.row_sets import NUMBER, encoded, row_set
from genesys_cloud.ledger.suppressions import REASON_CODE as SUPPRESSED
from genesys_cloud.ledger.tables import consents, messages, occurrences, suppressions
from genesys_cloud.outbound.messages import State

_IN_FORCE = suppressions.c.expires_at.is_(None) | (suppressions.c.expires_at > bindparam("now"))
_SUPPRESSED = messages.c.address_key.in_(select(suppressions.c.address_key).where(_IN_FORCE))
_WITHDRAWN = messages.c.address_key.in_(
    select(consents.c.address_key).where(consents.c.state == ConsentState.WITHDRAWN)
)
_BLOCK = (
    update(messages)
    .where(_SUPPRESSED | _WITHDRAWN)
    .values(
        state=State.BLOCKED,
        lease_until=None,
        settled_at=bindparam("now"),
        reason_code=case((_SUPPRESSED, SUPPRESSED), else_=WITHDRAWN),
        reason=case(
            (_SUPPRESSED, "The address is on the suppression list."),
            else_="The person has withdrawn the consent.",
        ),
    )
    .returning(
        messages.c.id, messages.c.message_key, messages.c.occurrence_id, messages.c.reason_code
    )
)
_BLOCK_PLANNED = _BLOCK.where(
    messages.c.occurrence_id == bindparam("within"), messages.c.state == State.PLANNED
)


def block_claimed(connection: Connection, ids: Sequence[int], now: datetime) -> frozenset[int]:
    """Block them among claimed messages, and return which those are."""
    scope = {**encoded([{"id": one} for one in ids]), "now": now}
    rows = connection.execute(_block_claimed(connection.dialect.name), scope).all()
    entry = AuditEntry(at=now, actor="send task", action="send.blocked", new_status=State.BLOCKED)
    audit.append(connection, _entries(connection, entry, rows))
    return frozenset(row.id for row in rows)


def block_planned(
    ledger: Ledger, plan: Plan, now: datetime, *, actor: str = "plan task"
) -> Counter[str]:
    """Block them among a plan's recipients, and return how many for which reason."""
    scope = {"within": plan.occurrence_id, "now": now}
    entry = AuditEntry(at=now, actor=actor, action="plan.blocked", new_status=State.BLOCKED)
    with ledger.write() as connection:
        rows = connection.execute(_BLOCK_PLANNED, scope).all()
        audit.append(connection, _entries(connection, entry, rows))
    return Counter(row.reason_code for row in rows)


@cache
def _block_claimed(dialect: str) -> ReturningUpdate[Any]:
    ids = select(row_set(dialect, {"id": NUMBER}).c.id)
    return _BLOCK.where(messages.c.id.in_(ids), messages.c.state == State.CLAIMED)


def _entries(
    connection: Connection, entry: AuditEntry, blocked: Sequence[Row[*tuple[Any, ...]]]
) -> list[AuditEntry]:
    """Return entries for each campaign and reason, with the keys of the messages."""
    groups: dict[tuple[int, str], list[str]] = {}
    for row in blocked:
        groups.setdefault((row.occurrence_id, row.reason_code), []).append(row.message_key)
    return [
        one
        for (occurrence_id, code), keys in groups.items()
        for one in audit.about_many(
            replace(
                entry,
                campaign_id=_campaign_of(connection, occurrence_id),
                details={"reason": code},
            ),
            keys,
        )
    ]


def _campaign_of(connection: Connection, occurrence_id: int) -> str:
    query = select(occurrences.c.campaign_id).where(occurrences.c.id == occurrence_id)
    return str(connection.execute(query).scalar_one())
