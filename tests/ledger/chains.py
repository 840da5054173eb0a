"""Audit trails to tamper with: rows as an export has them, and what attackers do to them."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.audit_chain import FIRST_DIGEST, Head, canonical_json, digest_of
from genesys_cloud.settings import PROJECT_ROOT

TOOL = PROJECT_ROOT / "tools" / "verify_audit.py"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Rows = list[dict[str, Any]]


def entry(number: int, **given: Any) -> AuditEntry:
    """Return an entry such as the system makes."""
    return AuditEntry(
        at=NOW + timedelta(seconds=number),
        actor="test",
        action="status.changed",
        message_key=f"{number:064x}",
        **given,
    )


def chain(bodies: Sequence[dict[str, Any]]) -> Rows:
    """Return a chain that is as it ought to be, by the document alone."""
    rows: Rows = []
    previous = FIRST_DIGEST
    for seq, body in enumerate(bodies, 1):
        row = {"seq": seq, **body, "previous_digest": previous}
        row["digest"] = previous = digest_of(row)
        rows.append(row)
    return rows


def head_of(rows: Rows) -> Head:
    """Return the head of a chain."""
    return Head(seq=rows[-1]["seq"], digest=rows[-1]["digest"])


TEXT = st.text(max_size=12)
BODIES = st.fixed_dictionaries(
    {
        "actor": TEXT,
        "action": st.sampled_from(["send.accepted", "status.changed"]),
        "message_key": st.none() | TEXT,
        "details": st.dictionaries(
            st.sampled_from(["reason", "count", "message_keys"]),
            TEXT | st.integers(-(2**63), 2**63) | st.booleans() | st.lists(TEXT, max_size=3),
            max_size=3,
        ),
    }
)
CHAINS = st.lists(BODIES, min_size=3, max_size=9).map(chain)


@dataclass(frozen=True)
class Tampered:
    """A chain that somebody changed, the head that was published, and the first bad entry."""

    what: str
    rows: Rows
    first_bad: int
    head: Head


@st.composite
def tampered(draw: st.DrawFn) -> Tampered:
    """Draw a chain with one thing done to it."""
    rows: Rows = draw(CHAINS)
    head = head_of(rows)
    place = draw(st.integers(0, len(rows) - 1))
    what = draw(st.sampled_from(sorted(WAYS)))
    changed, first_bad = WAYS[what](draw, [dict(row) for row in rows], place)
    return Tampered(what=what, rows=changed, first_bad=first_bad, head=head)


def flip(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Change one character of one field; the digests stay as they are."""
    name = draw(st.sampled_from(sorted(rows[place])))
    value = rows[place][name]
    if isinstance(value, int):
        rows[place][name] = value + draw(st.sampled_from([-1, 1, 1_000]))
    else:
        text = value if isinstance(value, str) else canonical_json(value)
        at = draw(st.integers(0, max(0, len(text) - 1)))
        rows[place][name] = text[:at] + ("f" if text[at : at + 1] != "f" else "0") + text[at + 1 :]
    return rows, place + 1


def drop(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Take an entry out; the last one shows by the head."""
    return rows[:place] + rows[place + 1 :], place + 1


def drop_and_number(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Take an entry out, and close the gap."""
    left = rows[:place] + rows[place + 1 :]
    return [{**row, "seq": seq} for seq, row in enumerate(left, 1)], place + 1


def put_in(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Put an entry in that fits the one before it, and number the later ones anew."""
    previous = rows[place - 1]["digest"] if place else FIRST_DIGEST
    forged = {**rows[place], "actor": "nobody at all", "previous_digest": previous}
    if "audit_id" in forged:
        forged["audit_id"] = str(uuid.uuid4())
    forged["digest"] = digest_of(forged)
    later = [{**row, "seq": row["seq"] + 1} for row in rows[place:]]
    return [*rows[:place], forged, *later], place + 1


def put_in_twice_numbered(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Put an entry in beside the one whose number it has."""
    changed, first_bad = put_in(draw, rows, place)
    return [*changed[: place + 1], *rows[place:]], first_bad


def swap(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Let two entries change places."""
    first = min(place, len(rows) - 2)
    rows[first], rows[first + 1] = rows[first + 1], rows[first]
    return rows, first + 1


def swap_and_number(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Let two entries change places and numbers."""
    swapped, first_bad = swap(draw, rows, place)
    return [{**row, "seq": seq} for seq, row in enumerate(swapped, 1)], first_bad


def seal_again(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Change an entry and its digest, and leave those after it."""
    rows[place]["actor"] += "!"
    rows[place]["digest"] = digest_of(rows[place])
    return rows, place + 1


def seal_with_another_before(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Let an entry follow another one than it does, and make its digest fit that."""
    rows[place]["previous_digest"] = "f" * 64
    rows[place]["digest"] = digest_of(rows[place])
    return rows, place + 1


def chain_again(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Change an entry, and make all digests after it anew; only a head tells, at its number."""
    rows[place]["actor"] += "!"
    bodies = [
        {name: row[name] for name in row if name not in {"seq", "digest", "previous_digest"}}
        for row in rows
    ]
    return chain(bodies), len(rows)


def cut(draw: st.DrawFn, rows: Rows, place: int) -> tuple[Rows, int]:
    """Cut the tail off."""
    return rows[:place], place + 1


WAYS = {
    way.__name__: way
    for way in (
        flip, drop, drop_and_number, put_in, put_in_twice_numbered, swap, swap_and_number,
        seal_again, seal_with_another_before, chain_again, cut,
    )
}  # fmt: skip


def write(rows: Rows, place: Path) -> Path:
    """Write rows as an export of JSON lines."""
    lines = [json.dumps(row) + "\n" for row in rows]
    place.write_text("".join(lines), encoding="utf-8")
    return place


def strangers_verdict(*arguments: object) -> tuple[int, int | None, str]:
    """Run the stranger's lines; return the exit code, the first bad entry, and what was printed."""
    ended = subprocess.run(
        [sys.executable, "-I", TOOL, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.stderr == ""
    words = ended.stdout.split()
    bad = int(words[1]) if words[0] == "entry" else None
    return ended.returncode, bad, ended.stdout
