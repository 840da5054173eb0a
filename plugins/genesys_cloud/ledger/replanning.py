"""What becomes of an earlier plan's messages when their occurrence is planned again.

A text of one profile is no text of the other: an approved template is kept as JSON, which must
reach nobody as a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, update

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.messages import WAITING, State

REASON_CODE = "planned_for_other_profile"

_REVISED = (
    "row_number", "language", "text", "text_digest", "segments", "plan_no", "state",
    "reason_code", "reason", "consent_proof", "consent_expires_at", "place", "held_until",
)  # fmt: skip
"""What a later plan may change about a recipient whom no send task has touched."""

# A row that a worker has claimed meanwhile no longer matches, and keeps the text it is sent with.
_REVISE = (
    update(messages)
    .where(
        messages.c.id == bindparam("b_id"),
        # Not IN: a statement that runs once a row of parameters takes no list.
        or_(*(messages.c.state == state for state in (*WAITING, State.BLOCKED))),
    )
    .values({name: bindparam(name) for name in _REVISED})
)


def revise(connection: Connection, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Give messages, by row id, what a later plan says; not those a worker has touched."""
    # Only these: an update takes every other key of a row that names a column, too.
    revised = [{"b_id": one, **{name: row[name] for name in _REVISED}} for one, row in rows.items()]
    connection.execute(_REVISE, revised)


def set_aside(
    connection: Connection, occurrence_id: int, campaign_id: str, profile: str, now: datetime
) -> None:
    """Block what was planned for `profile`; whoever is in the new plan's list is planned anew."""
    reason = f"It was planned for the profile {profile}, and no later plan's list has the address."
    audit.lock(connection)  # before the messages, as everybody does
    blocked = connection.execute(
        update(messages)
        .where(messages.c.occurrence_id == occurrence_id, messages.c.state.in_(WAITING))
        .values(state=State.BLOCKED, reason_code=REASON_CODE, reason=reason)
        .returning(messages.c.message_key)
    )
    entry = AuditEntry(
        at=now,
        actor="plan task",
        action="plan.blocked",
        campaign_id=campaign_id,
        previous_status=State.PLANNED,
        new_status=State.BLOCKED,
        details={"reason": REASON_CODE},
    )
    audit.append(connection, audit.about_many(entry, list(blocked.scalars())))
