"""Suppressions: addresses that must not be written to, whatever an audience says.

A suppressed recipient is blocked when a plan ends, and again when a batch is about to be attempted,
so that an entry made in mid-campaign holds from the next batch on. The ledger keeps the digest by
which a recipient is known within a campaign, and of the address only what a list may show.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Plan, address_key
from genesys_cloud.ledger.tables import messages, suppressions
from genesys_cloud.outbound.messages import State, mask_address

REASON_CODE = "suppressed"


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
    count = 0
    with ledger.write() as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        for count, entry in enumerate(entries, 1):  # noqa: B007 - the count is what is returned
            values = {
                "channel": entry.channel,
                "masked_address": mask_address(entry.address),
                "reason": entry.reason,
                "source": entry.source,
                "created_at": now,
                "expires_at": entry.expires_at,
            }
            connection.execute(
                dialect.insert(suppressions)
                .values(address_key=address_key(entry.channel, entry.address), **values)
                .on_conflict_do_update(index_elements=["address_key"], set_=values)
            )
            audit.append(connection, [_entry("added", entry, actor, now)])
    return count


def remove(ledger: Ledger, entry: Suppression, *, actor: str, now: datetime) -> bool:
    """Lift a suppression, and return whether there was one."""
    key = address_key(entry.channel, entry.address)
    with ledger.write() as connection:
        lifted = delete(suppressions).where(suppressions.c.address_key == key)
        if not connection.execute(lifted).rowcount:
            return False
        audit.append(connection, [_entry("removed", entry, actor, now)])
    return True


def listing(ledger: Ledger) -> list[RowMapping]:
    """Return every suppression, the newest first."""
    query = select(suppressions).order_by(suppressions.c.created_at.desc())
    with ledger.read() as connection:
        return list(connection.execute(query).mappings())


def block(connection: Connection, scope: ColumnElement[bool], now: datetime) -> frozenset[int]:
    """Block the suppressed among these messages, and return their ids."""
    in_force = suppressions.c.expires_at.is_(None) | (suppressions.c.expires_at > now)
    keys = select(suppressions.c.address_key).where(in_force)
    blocked = connection.execute(
        update(messages)
        .where(scope, messages.c.address_key.in_(keys))
        .values(
            state=State.BLOCKED,
            lease_until=None,
            settled_at=now,
            reason_code=REASON_CODE,
            reason="The address is on the suppression list.",
        )
        .returning(messages.c.id)
    )
    return frozenset(blocked.scalars())


def block_planned(ledger: Ledger, plan: Plan, now: datetime) -> int:
    """Block the suppressed recipients of a plan, and return how many they are."""
    planned = (messages.c.occurrence_id == plan.occurrence_id) & (messages.c.state == State.PLANNED)
    with ledger.write() as connection:
        return len(block(connection, planned, now))


def _entry(what: str, entry: Suppression, actor: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor=actor,
        action=f"suppression.{what}",
        details={
            "address_digest": address_key(entry.channel, entry.address),
            "channel": entry.channel,
            "reason": entry.reason,
            "source": entry.source,
        },
    )
