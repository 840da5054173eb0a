"""How fast campaigns send just now, and how long what is left takes at that pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from genesys_cloud.ledger.caps import NOTED_EVERY
from genesys_cloud.ledger.page_tables import sends_per_minute
from genesys_cloud.ledger.tables import occurrences

WINDOW = timedelta(minutes=5)
"""Over how long a pace is measured."""

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Attempts that were settled a minute, and the last minute in which any was."""

    per_minute: float = 0.0
    last: datetime | None = None


def paces(
    connection: Connection,
    campaign_ids: Collection[str],
    now: datetime,
    visible: ColumnElement[bool],
) -> Mapping[str, Pace]:
    """Return the pace of each campaign that sent lately, tests left out.

    Measured over the last minutes, or since the first of them in which it sent.
    """
    start = (now - WINDOW).replace(second=0, microsecond=0)
    minute = sends_per_minute.c.minute
    own: Any = occurrences.c.campaign_id
    rows = connection.execute(
        select(own, func.sum(sends_per_minute.c.messages), func.min(minute), func.max(minute))
        .join(sends_per_minute, sends_per_minute.c.occurrence_id == occurrences.c.id)
        .where(
            own.in_(campaign_ids),
            visible,
            ~occurrences.c.is_test,
            occurrences.c.last_attempt_at > start - NOTED_EVERY,
            minute >= start,
        )
        .group_by(own)
    )
    return {
        campaign_id: Pace(per_minute=int(sent) / max((now - first) / _MINUTE, 1.0), last=last)
        for campaign_id, sent, first, last in rows
        if sent
    }


def seconds_left(
    left: int,
    measured: float,
    *,
    allowed: float | None,
    now: datetime,
    not_before: datetime | None,
) -> float | None:
    """Return how long `left` messages take at the measured pace, or else at what is `allowed` a
    minute, None where nobody can say."""
    per_minute = measured or allowed
    if not left or not per_minute:
        return None
    wait = max((not_before - now).total_seconds(), 0.0) if not_before else 0.0
    return wait + 60.0 * left / per_minute
