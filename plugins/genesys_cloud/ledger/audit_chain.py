"""The chain of audit entries: what an entry's digest covers, and which entry breaks the chain.

docs/audit-format.md specifies the format; tools/verify_audit.py checks it again, without this code.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genesys_cloud.errors import CampaignDefinitionError

FIRST_DIGEST = "0" * 64
"""What stands before the first entry."""

Row = Mapping[str, Any]

_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})", re.ASCII)

# Made once: json.dumps with options makes an encoder at every call.
canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""Keys sorted, no spaces, characters as they are: RFC 8785 for text, whole numbers, booleans."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last entry of a trail at some time; published, it holds all entries up to it."""

    seq: int
    digest: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Return the head that SEQ:DIGEST names; raises CampaignDefinitionError if it is none."""
        found = _HEAD.fullmatch(text.strip())
        if found:
            return cls(seq=int(found[1]), digest=found[2])
        raise CampaignDefinitionError(
            f"{text.strip()!r} is not the head of an audit trail. Give SEQ:DIGEST as "
            "`genesys-cloud audit head` prints it."
        )


BEFORE_ALL = Head(seq=0, digest=FIRST_DIGEST)
"""Where a chain begins."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check found: how many entries it read, the first bad one, and why it is called so."""

    entries: int
    first_bad: int | None = None
    why: str = "every digest fits"

    @property
    def ok(self) -> bool:
        """Whether the whole chain holds."""
        return self.first_bad is None


def digest_of(row: Row) -> str:
    """Return the digest that an entry ought to have, '' for one that nobody can have appended."""
    body = {key: value for key, value in row.items() if key != "digest"}
    try:
        return hashlib.sha256(canonical_json(body).encode()).hexdigest()
    except (TypeError, ValueError):  # a field of a kind that JSON lacks, half a character
        return ""


def check(rows: Iterable[Row], heads: Iterable[Head] = (), *, after: Head = BEFORE_ALL) -> Verdict:
    """Check a chain from its first entry on, against heads that are known from elsewhere too.

    `after` is an entry that is trusted, where the rows begin with the one after it.
    """
    known = _by_number(heads)
    before, last, count = "", after, 0
    for count, (row, following) in enumerate(_with_next(rows), 1):
        expected = known.get(row["seq"], [])
        denied = any(head.digest != row["digest"] for head in expected)
        vouched = not denied if expected else following is None
        vouched |= following is not None and following["previous_digest"] == row["digest"]
        fault = _fault(row, last, before, vouched=vouched)
        if fault is not None:
            return Verdict(entries=count, first_bad=fault[0], why=fault[1])
        if denied:
            return Verdict(entries=count, first_bad=row["seq"], why=_disagreement(row, known))
        before, last = last.digest, Head(seq=row["seq"], digest=row["digest"])
    if any(seq > last.seq for seq in known):
        why = "it is missing: a known head lies beyond the last entry"
        return Verdict(entries=count, first_bad=last.seq + 1, why=why)
    return Verdict(entries=count)


def _fault(row: Row, last: Head, before: str, *, vouched: bool) -> tuple[int, str] | None:
    """Return the number of the bad entry and why, None where `row` fits what was read so far.

    `before` is the digest of the entry before `last`; `vouched` is whether what is known beyond
    the row follows it.
    """
    seq, place = row["seq"], last.seq + 1
    fits = row["digest"] == digest_of(row)
    fault: tuple[int, str] | None = None
    if seq > place:
        fault = place, "it is missing"
    elif seq < place:
        fault = (seq, "its number is there twice") if fits else (place, "its number is wrong")
    elif not fits:
        fault = seq, "its fields do not fit its digest"
        if row["previous_digest"] == before and row["digest"] == digest_of({**row, "seq": seq - 1}):
            fault = seq - 1, "it was put in: the entry after it had its number"
    elif row["previous_digest"] != last.digest:
        fault = seq, "it does not follow the entry before it"
        if vouched and seq > 1:
            # All that follows hangs together, and was appended after another entry than `last`.
            fault = seq - 1, "it was replaced: the entry after it follows another one"
    return fault


def _disagreement(row: Row, known: Mapping[int, list[Head]]) -> str:
    earlier = max((seq for seq in known if seq < row["seq"]), default=0)
    return (
        f"the known head {row['seq']} has another digest: an entry from {earlier + 1} on was "
        "changed, and all digests after it made anew"
    )


def _by_number(heads: Iterable[Head]) -> dict[int, list[Head]]:
    known: dict[int, list[Head]] = {}
    for head in heads:
        known.setdefault(head.seq, []).append(head)
    return known


def _with_next(rows: Iterable[Row]) -> Iterator[tuple[Row, Row | None]]:
    """Yield each entry with the one after it."""
    held: Row | None = None
    for row in rows:
        if held is not None:
            yield held, row
        held = row
    if held is not None:
        yield held, None
