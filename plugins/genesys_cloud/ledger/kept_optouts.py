"""What an erasure leaves of a no: the digest that keeps the person from being written to again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from genesys_cloud.ledger.consents import recorded
from genesys_cloud.ledger.tables import consents, suppressions
from genesys_cloud.outbound.consent import Recorded, withdrawals_in_force

MASK = "…"
"""What is shown of an address of which nothing may be shown."""

KEPT = "kept_after_erasure"
"""The reason and the source that such a no has."""


def strip(
    connection: Connection, keys: Sequence[str], *, now: datetime, forget: bool
) -> Counter[str]:
    """Delete consents, and reduce what says no to its digest; `forget` deletes that, too.

    Returns how many rows of either table lost something. What has expired, or was taken back by a
    later consent, says nothing any more, and goes.
    """
    listed = suppressions.c.address_key.in_(keys)
    decided = consents.c.address_key.in_(keys)
    lapsed = listed if forget else listed & (suppressions.c.expires_at <= now)
    standing = [] if forget else _standing(connection, keys)
    given = decided & consents.c.id.not_in(standing)
    removed: Counter[str] = Counter()
    removed["suppressions"] = connection.execute(delete(suppressions).where(lapsed)).rowcount
    removed["consents"] = connection.execute(delete(consents).where(given)).rowcount
    bare = {"masked_address": MASK, "reason": KEPT, "source": KEPT}
    proof = {"wording": "", "wording_digest": None, "manner": None, "evidence": ""}
    for name, table, rows, values in (
        ("suppressions_reduced", suppressions, listed, bare),
        ("consents_reduced", consents, decided, bare | proof),
    ):
        told = rows & (table.c.source != KEPT)
        removed[name] = connection.execute(update(table).where(told).values(values)).rowcount
    return removed


def count(connection: Connection, keys: Sequence[str]) -> Counter[str]:
    """Count what still says no to a person."""
    kept: Counter[str] = Counter()
    for name, table in (("suppressions", suppressions), ("withdrawals", consents)):
        query = select(func.count()).select_from(table).where(table.c.address_key.in_(keys))
        kept[name] = connection.execute(query).scalar_one()
    return kept


def _standing(connection: Connection, keys: Sequence[str]) -> list[int]:
    """Return the ids of the withdrawals that no later consent on the same channel has ended."""
    rows = connection.execute(select(consents).where(consents.c.address_key.in_(keys))).mappings()
    by_key: dict[str, dict[int, Recorded]] = {}
    for row in rows:
        by_key.setdefault(row["address_key"], {})[row["id"]] = recorded(row)
    return [
        number
        for decisions in by_key.values()
        for number, one in decisions.items()
        if one in withdrawals_in_force(decisions.values())
    ]
