"""The audit trail: append-only, each entry bound to the one before by a digest.

Entries name messages by their keys and people by keyed digests; they hold no address and no text.
docs/audit-format.md lists the actions.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Text, bindparam, cast, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RootTransaction

from genesys_cloud.ledger import audit_chain
from genesys_cloud.ledger.audit_chain import FIRST_DIGEST, Head, Row, Verdict, canonical_json
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import audit_entries, audit_head
from genesys_cloud.outbound.messages import mask_numbers, storable

KEYS_PER_ENTRY = 1_000
"""The most message keys that one entry about many messages names."""

_READ_SIZE = 500
"""Entries in memory at a time; one about many messages is 70 KB."""

_heads_held: WeakKeyDictionary[RootTransaction, tuple[int, str]] = WeakKeyDictionary()
_TYPED = frozenset({"reason", "source"})

_NAMES = tuple(column.name for column in audit_entries.columns)
_COLUMNS = ", ".join(_NAMES)
# As text of the driver's: for a batch of entries this is a fifth of what a statement object costs.
# PostgreSQL takes all rows in one parameter, the very JSON that was digested.
_INSERT_SQLITE = f"INSERT INTO audit_entries VALUES ({', '.join('?' for _ in _NAMES)})"  # noqa: S608 - no input
_INSERT_POSTGRESQL = (
    f"INSERT INTO audit_entries ({_COLUMNS}) SELECT {_COLUMNS} "  # noqa: S608 - no input
    "FROM json_populate_recordset(NULL::audit_entries, %s::json)"
)
_HEAD = select(audit_head.c.seq, audit_head.c.digest).where(audit_head.c.id == 1)
_LOCKED_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = (
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(seq=bindparam("to_seq"), digest=bindparam("to_digest"))
)
# As text, for what somebody tampered with may be no JSON any more.
_READ = select(
    *(
        cast(column, Text).label("details") if column.name == "details" else column
        for column in audit_entries.columns
    )
).order_by(audit_entries.c.seq)
_BEFORE_ALL = -(2**63)


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One thing that happened; message_id, previous and new status, time, event id and audit id
    are the tutorial's six fields.

    `details` hold no floats: whoever checks the trail would have to write them as we do.
    """

    at: datetime
    actor: str
    action: str
    campaign_id: str | None = None
    message_key: str | None = None
    message_id: str | None = None
    previous_status: str | None = None
    new_status: str | None = None
    event_id: str | None = None
    details: Mapping[str, str | int | bool | Sequence[str] | None] = field(default_factory=dict)


def lock(connection: Connection) -> tuple[int, str]:
    """Take the trail's head until the transaction ends, and return its sequence and digest.

    Whoever changes a message's status takes this lock first. It puts the entries in one order, and
    it lets an event and the send that it belongs to, committed at the same time, see each other.
    """
    transaction = connection.get_transaction()
    held = _heads_held.get(transaction) if transaction else None
    return held or _hold(connection, _take(connection))


def _take(connection: Connection) -> tuple[int, str]:
    found = connection.execute(_LOCKED_HEAD).one_or_none()
    if found is None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        first = dialect.insert(audit_head).values(id=1, seq=0, digest=FIRST_DIGEST)
        connection.execute(first.on_conflict_do_nothing())
        found = connection.execute(_LOCKED_HEAD).one()
    return found.seq, found.digest


def _hold(connection: Connection, head: tuple[int, str]) -> tuple[int, str]:
    """Remember the head for the rest of the transaction, which nobody else can move it in."""
    if (transaction := connection.get_transaction()) is not None:
        _heads_held[transaction] = head
    return head


def append(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries, in order, as part of the caller's transaction."""
    if not entries:
        return
    seq, digest = lock(connection)
    sealed: list[tuple[dict[str, Any], str]] = []
    for seq, entry in enumerate(entries, seq + 1):  # noqa: B020 - goes on from the head's number
        row = _row(seq, entry, digest)
        canonical = _canonical(row)
        digest = row["digest"] = hashlib.sha256(canonical.encode()).hexdigest()
        sealed.append((row, canonical))
    if connection.dialect.name == "postgresql":
        objects = (f'{canonical[:-1]},"digest":"{row["digest"]}"}}' for row, canonical in sealed)
        connection.exec_driver_sql(_INSERT_POSTGRESQL, (f"[{','.join(objects)}]",))
    else:
        connection.exec_driver_sql(_INSERT_SQLITE, [_values(row) for row, _ in sealed])
    connection.execute(_MOVE_HEAD, {"to_seq": seq, "to_digest": digest})
    _hold(connection, (seq, digest))


def note(ledger: Ledger, *entries: AuditEntry) -> None:
    """Append entries in a transaction of their own."""
    with ledger.write() as connection:
        append(connection, entries)


def about_many(entry: AuditEntry, message_keys: Sequence[str]) -> list[AuditEntry]:
    """Return the entries that say the same of many messages: their keys stand in the details."""
    return [
        replace(entry, details={**entry.details, "message_keys": some})
        for start in range(0, len(message_keys), KEYS_PER_ENTRY)
        if (some := message_keys[start : start + KEYS_PER_ENTRY])
    ]


def instant(moment: datetime) -> str:
    """Return a time as entries write it: UTC, milliseconds, Z; so written, text sorts as time."""
    if moment.tzinfo is None:
        raise ValueError("the audit trail takes aware datetimes only")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def head(ledger: Ledger) -> Head:
    """Return the last entry's number and digest, to be kept where the ledger's writers can't."""
    with ledger.read() as connection:
        found = _head(connection)
    return found or Head(seq=0, digest=FIRST_DIGEST)


def verify(ledger: Ledger, heads: Sequence[Head] = ()) -> Verdict:
    """Recompute the whole chain, and name the first entry that does not fit.

    `heads` were published before, and show what the chain by itself can't: that it was cut off, or
    made anew from some entry on.
    """
    with ledger.read() as connection:
        before = _head(connection)
    verdict = audit_chain.check(read(ledger), [*heads, *([before] if before else [])])
    if not verdict.ok:
        return verdict
    # Entries that were appended meanwhile are read too; their head is the one of now.
    with ledger.read() as connection:
        after = _head(connection)
    if (after.seq if after else 0) < verdict.entries:
        return Verdict(
            entries=verdict.entries,
            first_bad=after.seq + 1 if after else verdict.entries + 1,
            why="it lies beyond the head, which every append moves"
            if after
            else "the head is missing, so nobody can tell whether an entry follows",
        )
    return verdict


def read(
    ledger: Ledger,
    *,
    campaign_id: str | None = None,
    where: ColumnElement[bool] | None = None,
    up_to: int | None = None,
) -> Iterator[Row]:
    """Yield entries in order, a few hundred in memory at a time."""
    query = _READ.where(audit_entries.c.seq > bindparam("after")).limit(_READ_SIZE)
    if campaign_id is not None:
        query = query.where(audit_entries.c.campaign_id == campaign_id)
    if where is not None:
        query = query.where(where)
    if up_to is not None:
        query = query.where(audit_entries.c.seq <= up_to)
    after = _BEFORE_ALL
    while True:
        with ledger.read() as connection, _forgiving(connection):
            rows = connection.execute(query, {"after": after}).mappings().all()
        for row in rows:
            yield {**row, "details": _parsed(row["details"])}
        if len(rows) < _READ_SIZE:
            return
        after = rows[-1]["seq"]


def _head(connection: Connection) -> Head | None:
    found = connection.execute(_HEAD).one_or_none()
    return Head(seq=found.seq, digest=found.digest) if found else None


def _row(seq: int, entry: AuditEntry, previous: str) -> dict[str, Any]:
    return {
        "seq": seq,
        "audit_id": _uuid4(),
        "at": instant(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "campaign_id": entry.campaign_id,
        "message_key": entry.message_key,
        "api_message_id": entry.message_id,
        "previous_status": entry.previous_status,
        "new_status": entry.new_status,
        "event_id": entry.event_id,
        "details": {name: _without_numbers(name, one) for name, one in entry.details.items()},
        "previous_digest": previous,
    }


def _without_numbers(name: str, value: object) -> object:
    """Mask the numbers in what a person typed, for no entry can be changed later."""
    return mask_numbers(value) if name in _TYPED and isinstance(value, str) else value


def _canonical(row: dict[str, Any]) -> str:
    """Return the row's canonical JSON; what a database would not give back is replaced first."""
    canonical = canonical_json(row)
    if "\\u0000" not in canonical and (canonical.isascii() or _is_whole(canonical)):
        return canonical
    row.update({name: _storable(value) for name, value in row.items()})
    return canonical_json(row)


def _is_whole(text: str) -> bool:
    """Return whether no character is half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value, most=len(value))
    if isinstance(value, Mapping):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [_storable(inner) for inner in value]
    return value


def _values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    details = canonical_json(row["details"]) if row["details"] else "{}"
    return tuple({**row, "details": details}.values())


def _uuid4() -> str:
    """Return a random UUID, in a third of the time that the standard library's object takes."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _parsed(details: str) -> object:
    try:
        return json.loads(details)
    except (ValueError, TypeError):
        return details


@contextmanager
def _forgiving(connection: Connection) -> Iterator[None]:
    """Let SQLite give back text with a broken character, so that its entry can be named."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    driver.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        yield
    finally:
        driver.text_factory = str
