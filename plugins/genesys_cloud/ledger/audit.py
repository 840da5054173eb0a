"""The audit trail: append-only, each entry bound to the one before by a digest.

The digest of an entry is SHA-256 over its canonical JSON (keys sorted, no spaces, UTF-8), which
holds every field of the entry and the digest of the entry before it. Entries hold no addresses.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import audit_entries, audit_head

FIRST_DIGEST = "0" * 64
"""What stands before the first entry."""

_READ_SIZE = 2_000


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One thing that happened; message_id, previous and new status, time, event id and audit id
    are the tutorial's six fields."""

    at: datetime
    actor: str
    action: str
    campaign_id: str | None = None
    message_key: str | None = None
    message_id: str | None = None
    previous_status: str | None = None
    new_status: str | None = None
    event_id: str | None = None
    details: Mapping[str, str | int | bool | None | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What `verify` found: how many entries it read, and the first whose digest is wrong."""

    entries: int
    first_bad: int | None

    @property
    def ok(self) -> bool:
        """Whether the whole chain holds."""
        return self.first_bad is None


def lock(connection: Connection) -> tuple[int, str]:
    """Take the trail's head until the transaction ends, and return its sequence and digest.

    Whoever changes a message's status takes this lock first. It puts the entries in one order, and
    it lets an event and the send that it belongs to, committed at the same time, see each other.
    """
    head = connection.execute(select(audit_head).with_for_update()).one_or_none()
    if head is None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        first = dialect.insert(audit_head).values(id=1, seq=0, digest=FIRST_DIGEST)
        connection.execute(first.on_conflict_do_nothing())
        head = connection.execute(select(audit_head).with_for_update()).one()
    return head.seq, head.digest


def append(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries, in order, as part of the caller's transaction."""
    if not entries:
        return
    seq, digest = lock(connection)
    rows: list[dict[str, object]] = []
    for entry in entries:
        seq += 1
        row = _row(seq, entry, digest)
        digest = row["digest"] = _digest(row)
        rows.append(row)
    connection.execute(insert(audit_entries), rows)
    connection.execute(update(audit_head).values(seq=seq, digest=digest))


def verify(ledger: Ledger) -> Verdict:
    """Recompute the whole chain, and name the first entry that does not fit."""
    previous, seq = FIRST_DIGEST, 0
    for row in read(ledger):
        seq += 1
        fits = row["seq"] == seq and row["previous_digest"] == previous
        if not fits or row["digest"] != _digest(row):
            return Verdict(entries=seq, first_bad=seq)
        previous = row["digest"]
    with ledger.read() as connection:
        head = connection.execute(select(audit_head)).one_or_none()
    if head is not None and head.seq > seq:
        return Verdict(entries=seq, first_bad=seq + 1)
    return Verdict(entries=seq, first_bad=None)


def read(ledger: Ledger, *, campaign_id: str | None = None) -> Iterator[RowMapping]:
    """Yield entries in order, a few thousand in memory at a time."""
    after = 0
    while True:
        query = select(audit_entries).where(audit_entries.c.seq > after)
        if campaign_id is not None:
            query = query.where(audit_entries.c.campaign_id == campaign_id)
        with ledger.read() as connection:
            rows = (
                connection.execute(query.order_by(audit_entries.c.seq).limit(_READ_SIZE))
                .mappings()
                .all()
            )
        if not rows:
            return
        yield from rows
        after = rows[-1]["seq"]


def _row(seq: int, entry: AuditEntry, previous: str) -> dict[str, object]:
    return {
        "seq": seq,
        "audit_id": str(uuid.uuid4()),
        "at": entry.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "actor": entry.actor,
        "action": entry.action,
        "campaign_id": entry.campaign_id,
        "message_key": entry.message_key,
        "api_message_id": entry.message_id,
        "previous_status": entry.previous_status,
        "new_status": entry.new_status,
        "event_id": entry.event_id,
        "details": dict(entry.details),
        "previous_digest": previous,
    }


def _digest(row: Mapping[str, object] | RowMapping) -> str:
    body = {key: value for key, value in row.items() if key != "digest"}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
