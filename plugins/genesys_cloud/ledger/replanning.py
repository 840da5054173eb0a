"""What becomes of an earlier plan's messages when their occurrence is planned again.

A text of one profile is no text of the other: an approved template is kept as JSON, which must
reach nobody as a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, or_, update

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.messages import IN_FLIGHT, OPEN, WAITING, State
from genesys_cloud.outbound.plan_digest import PlanDigest

OTHER_PROFILE = "planned_for_other_profile"
NEVER_RELEASED = "plan_never_released"

REASONS = {
    OTHER_PROFILE: "It was planned for another profile, and the next plan has no such address.",
    NEVER_RELEASED: "Its plan was never approved or completed, and the next has no such address.",
}
"""Why a message that waited is set aside."""

COMES_BACK = IN_FLIGHT | {State.UNKNOWN}
"""What may be planned again: its worker gives it back, or a person settles that it goes again."""

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


# A row that may come back unsent, and that the later plan would send the very same, is the later
# plan's, too.
_ADOPT = (
    update(messages)
    .where(
        messages.c.id == bindparam("b_id"),
        messages.c.text_digest == bindparam("b_text"),
        or_(*(messages.c.state == state for state in COMES_BACK)),
    )
    .values(plan_no=bindparam("plan_no"))
)


def adopt(connection: Connection, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Count messages that may come back to a later plan, by row id, where it has the same text."""
    adopted = [
        {"b_id": one, "b_text": row["text_digest"], "plan_no": row["plan_no"]}
        for one, row in rows.items()
        if row["state"] in WAITING
    ]
    if adopted:
        connection.execute(_ADOPT, adopted)


def take_along(connection: Connection, occurrence_id: int, plan_no: int, digest: PlanDigest) -> int:
    """Count to a plan what earlier ones left open, add it to the digest, and return how many.

    Whatever else an earlier plan wrote is never claimed.
    """
    if plan_no == 1:
        return 0
    left = (
        messages.c.occurrence_id == occurrence_id,
        messages.c.state.in_(OPEN | WAITING),
        messages.c.plan_no < plan_no,
    )
    rows = connection.execute(
        update(messages)
        .where(*left)
        .values(plan_no=plan_no)
        .returning(messages.c.message_key, messages.c.text_digest)
    ).all()
    for row in sorted(rows, key=attrgetter("message_key")):
        digest.add_left_over(row.message_key, row.text_digest)
    return len(rows)


def set_aside(
    connection: Connection, whose: tuple[int, str], *, plan_no: int, code: str, at: datetime
) -> None:
    """Block what plans before this one left waiting, by a code of REASONS.

    `whose` are an occurrence's id and its campaign's. Whoever is in this plan's list is planned
    anew, before or after.
    """
    occurrence_id, campaign_id = whose
    audit.lock(connection)  # before the messages, as everybody does
    blocked = connection.execute(
        update(messages)
        .where(
            messages.c.occurrence_id == occurrence_id,
            messages.c.state.in_(WAITING),
            messages.c.plan_no < plan_no,
        )
        .values(
            state=State.BLOCKED,
            held_until=None,
            settled_at=at,
            reason_code=code,
            reason=REASONS[code],
        )
        .returning(messages.c.message_key)
    )
    entry = AuditEntry(
        at=at, actor="plan task", action="plan.blocked", campaign_id=campaign_id,
        previous_status=State.PLANNED, new_status=State.BLOCKED, details={"reason": code},
    )  # fmt: skip
    audit.append(connection, audit.about_many(entry, list(blocked.scalars())))
