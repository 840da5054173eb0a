"""Suppressions: addresses that must not be written to, whatever an audience says.

The ledger keeps the digest by which a recipient is known within a campaign, and of the address only
what a list may show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger import audit, people
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.tables import suppressions
from genesys_cloud.outbound.messages import mask_address

REASON_CODE = "suppressed"

_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address, in its channel's wire form, that is not to be written to.

    `reason` is a word such as opted_out or consent_withdrawn, `source` says where it came from;
    `expires_at` None is for ever.
    """

    channel: str
    address: str
    reason: str
    source: str
    expires_at: datetime | None = None


def add(ledger: Ledger, entries: Iterable[Suppression], *, actor: str, now: datetime) -> int:
    """Suppress addresses, in one transaction; one that is there already takes the new reason."""
    count, rest = 0, iter(entries)
    with ledger.write() as connection:
        # First, so that two imports of the same people don't wait for each other's rows.
        audit.lock(connection)
        while some := list(islice(rest, _AT_ONCE)):
            _save(connection, some, now)
            added = [("suppression.added", entry) for entry in some]
            people.note(connection, added, actor=actor, now=now)
            count += len(some)
    return count


def remove(ledger: Ledger, entry: Suppression, *, actor: str, now: datetime) -> bool:
    """Lift a suppression, and return whether there was one."""
    key = address_key(entry.channel, entry.address)
    with ledger.write() as connection:
        audit.lock(connection)
        lifted = delete(suppressions).where(suppressions.c.address_key == key)
        if not connection.execute(lifted).rowcount:
            return False
        people.note(connection, [("suppression.removed", entry)], actor=actor, now=now)
    return True


def listing(ledger: Ledger) -> list[RowMapping]:
    """Return every suppression, the newest first."""
    query = select(suppressions).order_by(suppressions.c.created_at.desc())
    with ledger.read() as connection:
        return list(connection.execute(query).mappings())


def _save(connection: Connection, entries: Sequence[Suppression], now: datetime) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insertion = dialect.insert(suppressions)
    changed = ("channel", "masked_address", "reason", "source", "created_at", "expires_at")
    connection.execute(
        insertion.on_conflict_do_update(
            index_elements=["address_key"],
            set_={name: insertion.excluded[name] for name in changed},
        ),
        [
            {
                "address_key": address_key(entry.channel, entry.address),
                "channel": entry.channel,
                "masked_address": mask_address(entry.address),
                "reason": entry.reason,
                "source": entry.source,
                "created_at": now,
                "expires_at": entry.expires_at,
            }
            for entry in entries
        ],
    )
