"""Erases a person everywhere that this project keeps data, and certifies what was done."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill

from genesys_cloud.ledger import compaction, erasure
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.identity import Identity
from genesys_cloud.workflows.spool_erasure import erase_spooled

REMOVED: Mapping[str, str] = {
    "messages": "messages without address, recipient id, text and reason",
    "texts": "rendered texts among them",
    "cancelled": "messages cancelled that had not gone out",
    "status_events": "status events",
    "quotations": "texts and reasons of others that quoted the address",
    "preview_samples": "texts in previews of campaigns",
    "digest_keys": "keys behind the digests of the audit trail",
    "consents": "consents",
    "suppressions": "suppressions",
    "suppressions_reduced": "suppressions reduced to a digest",
    "consents_reduced": "withdrawals of consent reduced to a digest",
    "spooled_events": "status events in the receiver's spool",
}
"""The classes of what is removed, as a certificate calls them."""

KEPT: Mapping[str, str] = {
    "message_keys": "messages with key, state, times and Genesys' id: they are counted, and the "
    "key keeps the same campaign from sending a second time",
    "suppressions": "suppressions, as a digest of the address: whoever said no must not be "
    "written to again (--forget-suppression deletes them)",
    "withdrawals": "withdrawals of consent, as a digest, for the same reason",
    "unknown": "messages whose outcome nobody knows: without an address they can't be looked "
    "for; settle them as sent",
    "texts_not_gone_out": "texts of others that quote the address and are not finished: erase "
    "again when they are",
    "audit_entries_quoting": "audit entries in whose reason somebody typed the address: the "
    "trail is never rewritten",
}
"""What is kept, and why."""

ELSEWHERE = (
    "Contact lists, files and buckets alike, are their owner's: take the person out there, or the "
    "next campaign brings the address back.",
    "Genesys Cloud keeps the messages that it sent: erase there with its GDPR API.",
    "Backups and replicas of the ledger, and PostgreSQL's write-ahead log and its archive, end by "
    "their own retention.",
    "Exports, Airflow's database and its logs hold no addresses, so nothing was changed there.",
)
"""What an erasure does not reach, and what it need not."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What was erased, what was kept and why; it names nobody."""

    certificate_id: str
    at: datetime
    actor: str
    reason: str
    channels: Sequence[str]
    removed: Mapping[str, int]
    kept: Mapping[str, int]
    remnants: Sequence[str]
    audit_seq: int | None

    @property
    def found(self) -> bool:
        """Whether there was anything to remove."""
        return any(self.removed.values())

    def as_json(self) -> dict[str, object]:
        """The certificate as `erase --json` prints it."""
        return {
            "certificate_id": self.certificate_id,
            "at": self.at.astimezone(UTC).isoformat(timespec="seconds"),
            "actor": self.actor,
            "reason": self.reason,
            "channels": list(self.channels),
            "found": self.found,
            "removed": {name: self.removed.get(name, 0) for name in REMOVED},
            "kept": [
                {"what": name, "count": count, "why": KEPT[name]} for name, count in self._kept()
            ],
            "remnants": list(self.remnants),
            "elsewhere": list(ELSEWHERE),
            "audit_seq": self.audit_seq,
        }

    def as_text(self) -> str:
        """The certificate as people read it."""
        removed = [f"{n:,} × {REMOVED[name]}" for name, n in self.removed.items() if n]
        kept = [f"{n:,} × {KEPT[name]}" for name, n in self._kept()]
        nothing = "Nothing was found, so nothing was removed."
        return "\n".join([
            f"Erasure certificate {self.certificate_id}",
            f"  {self.at:%Y-%m-%d %H:%M:%S} UTC, by {self.actor}; {', '.join(self.channels)}",
            *([f"  reason: {self.reason}"] if self.reason else []),
            *_listed("Removed:" if removed else nothing, removed),
            *_listed("Kept:", kept),
            *_listed("LEFT OVER:", self.remnants),
            *_listed("Not reached from here:", ELSEWHERE),
            f"Audit entry {self.audit_seq}" if self.audit_seq else "No audit entry was written.",
        ])  # fmt: skip

    def _kept(self) -> list[tuple[str, int]]:
        return [(name, self.kept[name]) for name in KEPT if self.kept.get(name)]


def _listed(heading: str, sentences: Sequence[str]) -> list[str]:
    """Return a heading and what stands below it, or neither where there is nothing below."""
    lines = [fill(one, 96, initial_indent="  - ", subsequent_indent="    ") for one in sentences]
    return [heading, *lines] if lines or not heading.endswith(":") else []


def erase_person(
    ledger: Ledger,
    identity: Identity,
    *,
    spool: Path,
    reason: str,
    actor: str,
    now: datetime,
    forget_suppression: bool = False,
) -> Certificate:
    """Erase a person from the ledger, its files and the receiver's spool.

    It can be cut short and run again: the files are written anew also where no row is left.
    """
    certificate_id = str(uuid.uuid4())
    erased = erasure.erase(
        ledger,
        identity,
        certificate_id=certificate_id,
        reason=reason,
        actor=actor,
        now=now,
        forget_suppression=forget_suppression,
    )
    spooled = erase_spooled(spool, identity, erased.message_ids)
    return Certificate(
        certificate_id=certificate_id,
        at=now,
        actor=actor,
        reason=identity.masked(reason),
        channels=sorted(identity.wires),
        removed={**erased.removed, "spooled_events": spooled},
        kept=erased.kept,
        remnants=compaction.rewrite(ledger),
        audit_seq=erased.audit_seq,
    )
