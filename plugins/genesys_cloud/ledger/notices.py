"""What people are to be told, and what they were: each thing once, whoever comes to know it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger import error_budget
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.page_tables import notices
from genesys_cloud.ledger.tables import campaigns


@dataclass(frozen=True, kw_only=True)
class Pause:
    """When a campaign's error budget paused it, and why."""

    at: datetime
    reason: str


def paused_by_budget(ledger: Ledger, campaign_id: str) -> Pause | None:
    """Return the pause that a campaign is in, None where it is in none or a person made it."""
    with ledger.read() as connection:
        found = connection.execute(
            select(campaigns.c.reason, campaigns.c.changed_at).where(
                campaigns.c.campaign_id == campaign_id, campaigns.c.state == "paused"
            )
        ).one_or_none()
    if found is None or not (found.reason or "").startswith(f"{error_budget.ACTOR}:"):
        return None
    return Pause(at=found.changed_at, reason=found.reason)


def take(ledger: Ledger, about: tuple[str, ...], now: datetime) -> bool:
    """Return whether nobody has told this yet, and from now on somebody has.

    Of several who ask at once, one is answered yes.
    """
    with ledger.write() as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        made = dialect.insert(notices).values(key=_key(about), told_at=now)
        fresh = made.on_conflict_do_nothing().returning(notices.c.key)
        return connection.execute(fresh).one_or_none() is not None


def give_back(ledger: Ledger, about: tuple[str, ...]) -> None:
    """Let somebody else tell what could not be told."""
    with ledger.write() as connection:
        connection.execute(delete(notices).where(notices.c.key == _key(about)))


def _key(about: tuple[str, ...]) -> str:
    return hashlib.sha256("\x1f".join(about).encode()).hexdigest()
