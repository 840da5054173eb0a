"""Suppressions whose address the ledger still knows: it keeps only digests on the list itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from sqlalchemy import Select, and_, case, func, select

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.suppressions import in_force
from genesys_cloud.ledger.tables import messages, suppressions
from genesys_cloud.outbound.csv_cells import inert
from genesys_cloud.outbound.scope import Scope, parse_person, same_person
from genesys_cloud.outbound.violations import Violation

COLUMNS = (
    "address", "channel", "reason", "source", "expires_at",
    "created_at", "digest", "masked_address",
)  # fmt: skip
"""Of an exported file; an import reads the first five."""

_PAGE = 1_000

_ENDS = case(
    (func.count() > func.count(suppressions.c.expires_at), None),
    else_=func.max(suppressions.c.expires_at),
)
"""When the last of several suppressions ends, NULL where one never does."""


@dataclass(frozen=True, kw_only=True)
class Suppressed:
    """Addresses with the ends of their suppressions, and how many have no address any more."""

    known: list[tuple[str, datetime | None]]
    unknown: int


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Rows of a file, and how many of them have a digest alone."""

    rows: int
    without_address: int


def find(ledger: Ledger, channel: str, *, now: datetime, not_from: str) -> Suppressed:
    """Return a channel's suppressions in force, but those of one source.

    An address is known as long as a message to it is, which retention and erasure end.
    """
    query = (
        _with_address(func.min(messages.c.address), _ENDS)
        .where(
            suppressions.c.channel == channel,
            suppressions.c.source != not_from,
            in_force(now),
        )
        .group_by(suppressions.c.address_key)
        .order_by(suppressions.c.address_key)
    )
    known: list[tuple[str, datetime | None]] = []
    unknown = 0
    with ledger.read() as connection:
        for address, expires_at in connection.execute(query):
            if address:
                known.append((address, expires_at))
            else:
                unknown += 1
    return Suppressed(known=known, unknown=unknown)


def export(ledger: Ledger, stream: TextIO, *, actor: str, now: datetime) -> Exported:
    """Write the suppressions in force as CSV that an import reads, and audit that.

    Where no message has the address any more, there is only its digest, which no import takes.
    """
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    rows = without = 0
    for row in _entries(ledger, now):
        rows += 1
        without += not row["address"]
        writer.writerow([inert(row[name]) for name in COLUMNS])
    done = Exported(rows=rows, without_address=without)
    details = {"rows": done.rows, "without_address": done.without_address}
    audit.note(
        ledger, AuditEntry(at=now, actor=actor, action="suppression.exported", details=details)
    )
    return done


def _entries(ledger: Ledger, now: datetime) -> Iterator[dict[str, str]]:
    """Yield each entry in force, with a cell for every column."""
    told = ("channel", "reason", "source", "created_at", "masked_address")
    # The rows of an entry say the same; of those that erasure has changed, any one.
    shown = [func.min(suppressions.c[name]).label(name) for name in told]
    query = (
        _with_address(
            func.min(messages.c.address).label("address"),
            suppressions.c.entry_key.label("digest"),
            suppressions.c.scope,
            _ENDS.label("expires_at"),
            *shown,
        )
        .where(in_force(now))
        .group_by(suppressions.c.scope, suppressions.c.entry_key)
        .order_by(func.min(suppressions.c.created_at), suppressions.c.entry_key)
    )
    with ledger.read() as connection:
        result = connection.execution_options(yield_per=_PAGE).execute(query)
        for row in result.mappings():
            entry = {name: row[name] for name in row}
            if entry["scope"] == Scope.EVERYWHERE:
                entry["channel"] = Scope.EVERYWHERE.value
                entry["address"] = _spelled(entry["address"] or "")
            ends = entry["expires_at"]
            yield {
                **entry,
                "address": entry["address"] or "",
                "expires_at": ends.isoformat() if ends else "",
                "created_at": entry["created_at"].isoformat(),
            }


def _spelled(wire: str) -> str:
    """Return a person's number without the prefix of a channel on which it is known."""
    person = parse_person(wire)
    if isinstance(person, Violation):
        return wire
    channel, address = person
    return next(iter(same_person(channel.name, address.wire).values()))


def _with_address(*columns: Any) -> Select[Any]:
    known = and_(
        messages.c.address_key == suppressions.c.address_key, messages.c.erased_at.is_(None)
    )
    return select(*columns).select_from(suppressions).outerjoin(messages, known)
