"""Suppressions: addresses that must not be written to, whatever an audience says.

The ledger keeps the digest by which a recipient is known within a campaign, and of the address only
what a list may show. A suppression that holds everywhere is one entry with a row for each channel
on which the person has an address, so that a send looks up its own address and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger import audit, people
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.tables import suppressions
from genesys_cloud.outbound.messages import mask_address, storable
from genesys_cloud.outbound.scope import Scope, same_person

REASON_CODE = "suppressed"

OPTED_OUT = "opted_out"
"""The reason of a suppression that the person asked for."""

INBOUND = "inbound message"
RECEIPT = "delivery receipt"
LIFTABLE = frozenset({INBOUND, RECEIPT})
"""Sources that the person's own word ends again: what people or lists said, only they take back."""

_AT_ONCE = 1_000
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address, in its channel's wire form, that is not to be written to.

    `reason` is a word such as opted_out or consent_withdrawn, `source` says where it came from;
    `expires_at` None is for ever. With the scope EVERYWHERE it is the person who is not to be
    written to, and the address is one of theirs.
    """

    channel: str
    address: str
    reason: str
    source: str
    expires_at: datetime | None = None
    scope: Scope = Scope.CHANNEL

    @property
    def holds_on(self) -> str:
        """The channel, or everywhere."""
        return self.channel if self.scope is Scope.CHANNEL else self.scope.value

    def keys(self) -> dict[str, tuple[str, str]]:
        """Return channel and address of each of its rows, by the address's key; never none."""
        whole = self.scope is Scope.EVERYWHERE
        wires = same_person(self.channel, self.address) if whole else {self.channel: self.address}
        return {address_key(channel, wire): (channel, wire) for channel, wire in wires.items()}


@dataclass(frozen=True, kw_only=True)
class Added:
    """How many suppressions were made or made to last longer, and how many were there already."""

    added: int = 0
    unchanged: int = 0


def add(ledger: Ledger, entries: Iterable[Suppression], *, actor: str, now: datetime) -> Added:
    """Suppress addresses, and weaken no suppression that is there.

    Only what changes is audited, so that a list can be read again every day. Each thousand is a
    transaction: what was read before a list breaks off holds.
    """
    total, rest = Added(), iter(entries)
    while some := list(islice(rest, _AT_ONCE)):
        with ledger.write() as connection:
            added = add_within(connection, some, actor=actor, now=now)
        total = Added(added=total.added + added, unchanged=total.unchanged + len(some) - added)
    return total


def add_within(
    connection: Connection,
    entries: Sequence[Suppression],
    *,
    actor: str,
    now: datetime,
    said_at: datetime | None = None,
) -> int:
    """Do as `add` does, in the caller's transaction; return how many were made or changed.

    `said_at` is since when they hold, by default now.
    """
    if not entries:
        return 0
    # First, so that two imports of the same people don't wait for each other's rows.
    audit.lock(connection)
    since = min(said_at or now, now)
    wanted = [(entry, entry.keys()) for entry in entries]
    standing = _standing(connection, {key for _, keys in wanted for key in keys})
    rows: dict[tuple[str, Scope], dict[str, Any]] = {}
    changed: list[Suppression] = []
    for entry, keys in wanted:
        before = len(changed)
        for key, (channel, wire) in keys.items():
            place = (key, entry.scope)
            stronger = _stronger(standing.get(place), entry, since, now)
            if stronger is None:
                continue
            rows[place] = standing[place] = {
                "address_key": key,
                "scope": entry.scope,
                "entry_key": next(iter(keys)),
                "channel": channel,
                "masked_address": mask_address(wire),
                "reason": storable(stronger.reason, most=_LONGEST),
                "source": storable(stronger.source, most=_LONGEST),
                "created_at": since,
                "expires_at": stronger.expires_at,
            }
            if len(changed) == before:
                changed.append(stronger)
    if changed:
        _save(connection, list(rows.values()))
        note(connection, "suppression.added", changed, actor=actor, now=now)
    return len(changed)


def remove(ledger: Ledger, entry: Suppression, *, actor: str, now: datetime) -> bool:
    """Lift a suppression of the entry's scope, and return whether there was one."""
    with ledger.write() as connection:
        audit.lock(connection)
        if not connection.execute(delete(suppressions).where(own_rows(entry))).rowcount:
            return False
        note(connection, "suppression.removed", [entry], actor=actor, now=now)
    return True


def own_rows(entry: Suppression) -> ColumnElement[bool]:
    """Return the condition by which an entry's rows are found."""
    return and_(
        suppressions.c.address_key.in_(list(entry.keys())), suppressions.c.scope == entry.scope
    )


def scopes(ledger: Ledger, entry: Suppression, *, now: datetime) -> frozenset[Scope]:
    """Return by which scopes an address is suppressed now, whatever the entry's own is."""
    key = address_key(entry.channel, entry.address)
    query = select(suppressions.c.scope).where(suppressions.c.address_key == key, in_force(now))
    with ledger.read() as connection:
        return frozenset(map(Scope, connection.execute(query).scalars()))


def listing(ledger: Ledger, *, at: datetime | None = None) -> list[RowMapping]:
    """Return every suppression, the newest first, or those alone that are in force at a time.

    One that holds everywhere comes once, as its row of one of the channels.
    """
    query = select(suppressions).order_by(
        suppressions.c.created_at.desc(), suppressions.c.address_key
    )
    if at is not None:
        query = query.where(in_force(at))
    with ledger.read() as connection:
        rows = connection.execute(query).mappings()
        # Kept in their order; the first row of an entry stands for all.
        found: dict[tuple[str, str], RowMapping] = {}
        for row in rows:
            found.setdefault((row["scope"], row["entry_key"]), row)
    return list(found.values())


def in_force(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a suppression has not ended."""
    return or_(suppressions.c.expires_at.is_(None), suppressions.c.expires_at > at)


def note(
    connection: Connection,
    action: str,
    entries: Sequence[Suppression],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Append an audit entry for each suppression, with a digest for the address."""
    digests = people.address_digests(connection, [(one.channel, one.address) for one in entries])
    audit.append(
        connection,
        [
            AuditEntry(at=now, actor=actor, action=action, details=_told(one, digest))
            for one, digest in zip(entries, digests, strict=True)
        ],
    )


def _told(one: Suppression, digest: str) -> dict[str, str]:
    told = {
        "address_digest": digest,
        "channel": one.holds_on,
        "reason": storable(one.reason, most=_LONGEST),
        "source": storable(one.source, most=_LONGEST),
    }
    return told | ({"expires_at": one.expires_at.isoformat()} if one.expires_at else {})


def _standing(
    connection: Connection, keys: Iterable[str]
) -> dict[tuple[str, Scope], Mapping[Any, Any]]:
    query = select(suppressions).where(suppressions.c.address_key.in_(list(keys)))
    rows = connection.execute(query).mappings()
    return {(row["address_key"], Scope(row["scope"])): row for row in rows}


def _stronger(
    known: Mapping[Any, Any] | None, entry: Suppression, since: datetime, now: datetime
) -> Suppression | None:
    """Return what an entry makes of a suppression, None where it changes nothing.

    It lasts as long as the longer of both, and what people or lists said outranks a word, which the
    person can take back.
    """
    if entry.expires_at is not None and entry.expires_at <= now:
        return None
    if known is None or (known["expires_at"] is not None and known["expires_at"] <= now):
        return entry
    ends = (known["expires_at"], entry.expires_at)
    lasts = None if None in ends else max(end for end in ends if end is not None)
    both_words = known["source"] in LIFTABLE and entry.source in LIFTABLE
    outranks = known["source"] in LIFTABLE and entry.source not in LIFTABLE
    longer = lasts != known["expires_at"]
    # A word that is said again counts from then on, or an older START would lift it.
    again = both_words and since > known["created_at"]
    if not (longer or outranks or again):
        return None
    own = outranks or (both_words and longer)
    why = entry if own else replace(entry, reason=known["reason"], source=known["source"])
    return replace(why, expires_at=lasts)


def _save(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insertion = dialect.insert(suppressions)
    key = ["address_key", "scope"]
    changed = {name: insertion.excluded[name] for name in rows[0] if name not in key}
    connection.execute(insertion.on_conflict_do_update(index_elements=key, set_=changed), rows)
