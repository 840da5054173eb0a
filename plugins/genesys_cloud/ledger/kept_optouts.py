"""What an erasure leaves of a no: the digest that keeps the person from being written to again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from genesys_cloud.ledger.consents import ConsentState
from genesys_cloud.ledger.tables import consents, suppressions

MASK = "…"
"""What is shown of an address of which nothing may be shown."""

KEPT = "kept_after_erasure"
"""The reason and the source that such a no has."""


def strip(
    connection: Connection, keys: Sequence[str], *, now: datetime, forget: bool
) -> Counter[str]:
    """Delete consents, and reduce what says no to its digest; `forget` deletes that, too.

    Returns how many rows of either table lost something. What has expired says nothing any more,
    and goes.
    """
    listed = suppressions.c.address_key.in_(keys)
    decided = consents.c.address_key.in_(keys)
    lapsed = listed if forget else listed & (suppressions.c.expires_at <= now)
    given = decided if forget else decided & (consents.c.state != ConsentState.WITHDRAWN)
    removed: Counter[str] = Counter()
    removed["suppressions"] = connection.execute(delete(suppressions).where(lapsed)).rowcount
    removed["consents"] = connection.execute(delete(consents).where(given)).rowcount
    bare = {"masked_address": MASK, "reason": KEPT, "source": KEPT}
    for name, table, rows in (
        ("suppressions_reduced", suppressions, listed),
        ("consents_reduced", consents, decided),
    ):
        told = rows & (table.c.source != KEPT)
        removed[name] = connection.execute(update(table).where(told).values(bare)).rowcount
    return removed


def count(connection: Connection, keys: Sequence[str]) -> Counter[str]:
    """Count what still says no to a person."""
    kept: Counter[str] = Counter()
    for name, table in (("suppressions", suppressions), ("withdrawals", consents)):
        query = select(func.count()).select_from(table).where(table.c.address_key.in_(keys))
        kept[name] = connection.execute(query).scalar_one()
    return kept
