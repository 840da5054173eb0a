"""People in the audit trail: each address has a random key, and the trail shows only a digest.

The digest is HMAC-SHA256 of the address in its wire form. Numbers are few, so a plain digest could
be found by trying them all; once a person's key is destroyed, theirs says nothing any more.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.tables import people

_AT_ONCE = 500


def address_digest(connection: Connection, channel: str, address: str) -> str:
    """Return an address's digest for the audit trail, and make its key where it has none yet.

    `address` is the wire form. It takes the trail's lock, as everybody does who will append.
    """
    (digest,) = address_digests(connection, [(channel, address)])
    return digest


def address_digests(connection: Connection, addresses: Sequence[tuple[str, str]]) -> list[str]:
    """Return the digests of many addresses, each given as its channel and wire form."""
    # In one order for all: who waits for a key that another transaction makes holds no lock of it.
    audit.lock(connection)
    wanted = [(address_key(channel, address), address) for channel, address in addresses]
    keys = _keys(connection, [key for key, _ in wanted])
    missing = dict.fromkeys(key for key, _ in wanted if key not in keys)
    if missing:
        made = [{"address_key": key, "digest_key": secrets.token_hex(32)} for key in missing]
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(people).on_conflict_do_nothing(), made)
        keys |= _keys(connection, list(missing))
    return [_digest(keys[key], address) for key, address in wanted]


def known_digests(connection: Connection, addresses: Iterable[tuple[str, str]]) -> list[str]:
    """Return the digests of those addresses that have a key; makes none."""
    wanted = {address_key(channel, address): address for channel, address in addresses}
    keys = _keys(connection, list(wanted))
    return [_digest(keys[key], wanted[key]) for key in wanted if key in keys]


def forget(connection: Connection, channel: str, address: str) -> bool:
    """Destroy an address's key, so that its digests name nobody; return whether there was one."""
    own = people.c.address_key == address_key(channel, address)
    return connection.execute(delete(people).where(own)).rowcount > 0


def _keys(connection: Connection, address_keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(address_keys), _AT_ONCE):
        some = people.c.address_key.in_(list(address_keys[start : start + _AT_ONCE]))
        rows = connection.execute(select(people.c.address_key, people.c.digest_key).where(some))
        found.update((row.address_key, row.digest_key) for row in rows)
    return found


def _digest(key: str, address: str) -> str:
    return hmac.digest(bytes.fromhex(key), address.encode(), "sha256").hex()
