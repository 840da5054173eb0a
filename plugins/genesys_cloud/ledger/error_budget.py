"""The error budget: a campaign whose sends keep failing pauses itself, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.tables import campaigns, messages, occurrences
from genesys_cloud.outbound.messages import State

FAILED = (State.REJECTED, State.UNKNOWN)

ACTOR = "error budget"
"""Who pauses a campaign then, and how the reason begins."""


def check(connection: Connection, failed_ids: Sequence[int], now: datetime) -> None:
    """Pause the campaigns of these messages whose budget is used up.

    The count is of an occurrence: errors are its rejected and unknown messages, the share is
    errors over those and the accepted. A test has no budget: it must not pause its campaign.
    """
    if not failed_ids:
        return
    ids = select(messages.c.occurrence_id).where(messages.c.id.in_(list(failed_ids))).distinct()
    budgeted = select(occurrences).where(occurrences.c.id.in_(ids), ~occurrences.c.is_test)
    for occurrence in connection.execute(budgeted):
        counts = _counts(connection, occurrence.id)
        errors, tried = sum(counts.get(state, 0) for state in FAILED), sum(counts.values())
        if errors >= occurrence.error_budget_count and (
            errors >= occurrence.error_budget_share * tried
        ):
            reason = (
                f"{ACTOR}: {errors:,} of {tried:,} messages tried were rejected or have no "
                f"clear answer (limits: {occurrence.error_budget_count:,} and "
                f"{occurrence.error_budget_share:.0%})"
            )
            _pause(connection, occurrence.campaign_id, reason, now)


def _counts(connection: Connection, occurrence_id: int) -> dict[str, int]:
    rows = connection.execute(
        select(messages.c.state, func.count())
        .where(
            messages.c.occurrence_id == occurrence_id,
            messages.c.state.in_([*FAILED, State.ACCEPTED]),
        )
        .group_by(messages.c.state)
    )
    return {str(state): int(count) for state, count in rows}


def _pause(connection: Connection, campaign_id: str, reason: str, now: datetime) -> None:
    paused = connection.execute(
        update(campaigns)
        .where(campaigns.c.campaign_id == campaign_id, campaigns.c.state == "active")
        .values(state="paused", reason=reason, changed_at=now)
    )
    if paused.rowcount:
        entry = AuditEntry(
            at=now,
            actor=ACTOR,
            action="campaign.paused",
            campaign_id=campaign_id,
            details={"reason": reason},
        )
        audit.append(connection, [entry])
