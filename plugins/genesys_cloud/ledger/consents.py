"""Consents on record: what people decided, with the proof of it, one row a decision and channel.

Rows are only ever added, so that what held at a time can be shown later; outbound/consent.py says
which of them count. Nothing but an erasure changes or deletes one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from genesys_cloud.ledger import audit, people
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.tables import consents
from genesys_cloud.outbound.consent import ConsentState, Manner, Recorded
from genesys_cloud.outbound.messages import mask_address, storable

_AT_ONCE = 1_000
_SAME = (
    "address_key", "state", "purpose", "wording", "wording_digest", "source", "manner",
    "decided_at", "expires_at",
)  # fmt: skip
"""What two rows have in common that record one decision twice."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One person's decision about one channel, and the proof of it.

    `address` is in the channel's wire form; `purpose` is '' for any; `wording` is the version of
    the text that the person saw, `wording_digest` its SHA-256. `decided_at` is when the person said
    so, by default when it is recorded. Only a withdrawal has a `manner`, and a deadline
    (`honour_by`).
    """

    channel: str
    address: str
    state: ConsentState
    source: str
    purpose: str = ""
    wording: str = ""
    wording_digest: str | None = None
    manner: Manner | None = None
    reason: str = ""
    evidence: str = ""
    decided_at: datetime | None = None
    expires_at: datetime | None = None
    honour_by: datetime | None = None


def record(ledger: Ledger, decided: Iterable[Consent], *, actor: str, now: datetime) -> int:
    """Keep people's decisions, a thousand a transaction, and return how many were new.

    One that is on record already, word for word, is not recorded twice, so that a file can be
    imported again.
    """
    rest, added = iter(decided), 0
    while some := list(islice(rest, _AT_ONCE)):
        with ledger.write() as connection:
            # First, for whoever attempts a send holds it too: either that comes first, or this.
            audit.lock(connection)
            added += _add(connection, some, actor, now)
    return added


def listing(ledger: Ledger) -> list[RowMapping]:
    """Return every decision, the latest first."""
    query = select(consents).order_by(consents.c.decided_at.desc(), consents.c.id.desc())
    with ledger.read() as connection:
        return list(connection.execute(query).mappings())


def history(ledger: Ledger, address_keys: Collection[str]) -> list[RowMapping]:
    """Return every decision of one person, the first first."""
    own = consents.c.address_key.in_(list(address_keys))
    query = select(consents).where(own).order_by(consents.c.decided_at, consents.c.id)
    with ledger.read() as connection:
        return list(connection.execute(query).mappings())


def recorded(row: Mapping[Any, Any]) -> Recorded:
    """Return what the rule needs to know of a row."""
    return Recorded(
        state=ConsentState(row["state"]),
        purpose=row["purpose"],
        decided_at=row["decided_at"],
        expires_at=row["expires_at"],
    )


def _add(connection: Connection, decided: Sequence[Consent], actor: str, now: datetime) -> int:
    rows = [_row(one, now) for one in decided]
    keys = {row["address_key"] for row in rows}
    known = connection.execute(select(consents).where(consents.c.address_key.in_(keys))).mappings()
    seen = {_sameness(row) for row in known}
    fresh: list[tuple[Consent, dict[str, Any]]] = []
    for one, row in zip(decided, rows, strict=True):
        if (sameness := _sameness(row)) not in seen:
            seen.add(sameness)
            fresh.append((one, row))
    if fresh:
        connection.execute(insert(consents), [row for _, row in fresh])
        _note(connection, fresh, actor, now)
    return len(fresh)


def _row(one: Consent, now: datetime) -> dict[str, Any]:
    return {
        "address_key": address_key(one.channel, one.address),
        "channel": one.channel,
        "masked_address": mask_address(one.address),
        "state": one.state.value,
        "purpose": one.purpose,
        "wording": storable(one.wording, most=200),
        "wording_digest": one.wording_digest,
        "source": storable(one.source, most=200),
        "manner": one.manner and one.manner.value,
        "reason": storable(one.reason, most=200),
        "evidence": storable(one.evidence, most=1_000),
        "decided_at": one.decided_at or now,
        "recorded_at": now,
        "expires_at": one.expires_at,
        "honour_by": one.honour_by,
    }


def _sameness(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SAME)


def _note(
    connection: Connection,
    fresh: Sequence[tuple[Consent, Mapping[str, Any]]],
    actor: str,
    now: datetime,
) -> None:
    digests = people.address_digests(connection, [(one.channel, one.address) for one, _ in fresh])
    entries = [
        AuditEntry(
            at=now,
            actor=actor,
            action=f"consent.{one.state}",
            details={"address_digest": digest, "channel": one.channel, **_told(row)},
        )
        for (one, row), digest in zip(fresh, digests, strict=True)
    ]
    audit.append(connection, entries)


def _told(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what the audit trail says of a decision; no evidence, for that may name people."""
    told = {name: row[name] for name in ("reason", "source")}
    more = ("purpose", "wording", "wording_digest", "manner")
    told |= {name: row[name] for name in more if row[name]}
    times = ("decided_at", "expires_at", "honour_by")
    return told | {name: row[name].isoformat() for name in times if row[name]}
