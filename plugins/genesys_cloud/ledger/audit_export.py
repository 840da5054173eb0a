"""Exports of the audit trail, as JSON lines that strangers verify or as CSV that people read.

Entries pass one by one, so that memory stays flat; the export is an entry of the trail itself.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO

from sqlalchemy import ColumnElement, and_, or_, select, true

from genesys_cloud.ledger import audit, people
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.audit_chain import Head, Row, canonical_json
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.tables import audit_entries, messages
from genesys_cloud.outbound.csv_cells import inert
from genesys_cloud.outbound.identity import Identity
from genesys_cloud.outbound.messages import mask_address


class Format(StrEnum):
    """What an export is written as; only JSON lines hold what digests cover, byte for byte."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which entries: all, or those of a campaign, about a person, at times in [since, before)."""

    campaign_id: str | None = None
    identity: Identity | None = None
    since: datetime | None = None
    before: datetime | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left out, so that the chain can be verified."""
        return self == Selection()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an export says of itself; `head` is the trail's when it was made."""

    format: Format
    filters: Mapping[str, Any]
    complete: bool
    entries: int
    first_seq: int | None
    last_seq: int | None
    sha256: str
    head: Head
    exported_at: str
    exported_by: str

    def as_json(self) -> dict[str, Any]:
        """Return the manifest with the names that docs/audit-format.md gives."""
        return {**vars(self), "head": vars(self.head)}


@dataclass(kw_only=True)
class _Counted:
    """A stream that is written to, and what went through it."""

    stream: BinaryIO
    entries: int = 0
    first_seq: int | None = None
    last_seq: int | None = None
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")  # a tampered entry may hold half a character
        self.digest.update(data)
        self.stream.write(data)

    def count(self, seq: int) -> None:
        self.entries += 1
        self.first_seq = seq if self.first_seq is None else self.first_seq
        self.last_seq = seq


def export(
    ledger: Ledger,
    selection: Selection,
    stream: BinaryIO,
    written_as: Format,
    *,
    actor: str,
    now: datetime,
) -> Manifest:
    """Write the selected entries to a stream, audit that, and return the export's manifest."""
    head = audit.head(ledger)
    digests = _digests(ledger, selection.identity)
    counted = _Counted(stream=stream)
    write = _write_csv if written_as is Format.CSV else _write_jsonl
    write(_selected(ledger, selection, digests, head), counted)
    manifest = Manifest(
        format=written_as,
        filters=_filters(selection, digests),
        complete=selection.complete,
        entries=counted.entries,
        first_seq=counted.first_seq,
        last_seq=counted.last_seq,
        sha256=counted.digest.hexdigest(),
        head=head,
        exported_at=audit.instant(now),
        exported_by=actor,
    )
    audit.note(ledger, _entry(manifest, digests, actor, now))
    return manifest


def _selected(
    ledger: Ledger, selection: Selection, digests: Sequence[str], head: Head
) -> Iterator[Row]:
    conditions: list[ColumnElement[bool]] = [true()]
    if selection.since is not None:
        conditions.append(audit_entries.c.at >= audit.instant(selection.since))
    if selection.before is not None:
        conditions.append(audit_entries.c.at < audit.instant(selection.before))
    about: Callable[[Row], bool] = lambda row: True  # noqa: E731 - of the same kind as the other
    if selection.identity is not None:
        keys = _message_keys(ledger, selection.identity)
        # An entry about one message names it in its column; the others are looked at one by one.
        column = audit_entries.c.message_key
        conditions.append(or_(column.in_(keys), column.is_(None)))
        about = _about_person(keys, frozenset(digests))
    rows = audit.read(
        ledger, campaign_id=selection.campaign_id, where=and_(*conditions), up_to=head.seq
    )
    return filter(about, rows)


def _about_person(keys: frozenset[str], digests: frozenset[str]) -> Callable[[Row], bool]:
    def about(row: Row) -> bool:
        if row["message_key"] is not None:
            return True
        details = row["details"] if isinstance(row["details"], dict) else {}
        named = {details.get("address_digest"), *(details.get("address_digests") or ())}
        return not (
            digests.isdisjoint(named) and keys.isdisjoint(details.get("message_keys") or ())
        )

    return about


def _message_keys(ledger: Ledger, identity: Identity) -> frozenset[str]:
    wires = identity.wires
    own = or_(
        messages.c.address_key.in_([address_key(*one) for one in wires.items()]),
        messages.c.address.in_(list(wires.values())),  # a repeated row has no key of its own
    )
    with ledger.read() as connection:
        return frozenset(connection.execute(select(messages.c.message_key).where(own)).scalars())


def _digests(ledger: Ledger, identity: Identity | None) -> list[str]:
    if identity is None:
        return []
    with ledger.read() as connection:
        return people.known_digests(connection, identity.wires.items())


def _write_jsonl(rows: Iterator[Row], counted: _Counted) -> None:
    for row in rows:
        counted.write(canonical_json(row) + "\n")
        counted.count(row["seq"])


def _write_csv(rows: Iterator[Row], counted: _Counted) -> None:
    line = io.StringIO(newline="")
    writer = csv.writer(line)
    writer.writerow(column.name for column in audit_entries.columns)
    for row in rows:
        details = canonical_json(row["details"])
        writer.writerow(_cell(value) for value in {**row, "details": details}.values())
        counted.write(line.getvalue())
        line.seek(0)
        line.truncate()
        counted.count(row["seq"])
    counted.write(line.getvalue())


def _cell(value: object) -> object:
    return inert(value) if isinstance(value, str) else value


def _filters(selection: Selection, digests: Sequence[str]) -> dict[str, Any]:
    """Return what was asked for; an address as nobody but its owner knows it again."""
    wires = selection.identity.wires if selection.identity else {}
    return {
        "campaign": selection.campaign_id,
        "address": mask_address(next(iter(wires.values()))) if wires else None,
        "address_digests": list(digests),
        "from": selection.since and audit.instant(selection.since),
        "to": selection.before and audit.instant(selection.before),
    }


def _entry(manifest: Manifest, digests: Sequence[str], actor: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        at=now,
        actor=actor,
        action="audit.exported",
        campaign_id=manifest.filters["campaign"],
        details={
            "format": manifest.format,
            "entries": manifest.entries,
            "first_seq": manifest.first_seq,
            "last_seq": manifest.last_seq,
            "sha256": manifest.sha256,
            "about_a_person": manifest.filters["address"] is not None,
            "address_digests": digests,
            "from": manifest.filters["from"],
            "to": manifest.filters["to"],
        },
    )
