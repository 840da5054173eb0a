"""The audit entries about one message, found without reading the trail.

An entry of its own names the message. The frequent ones are not indexed by that, for it would cost
each send; they are found by the instant, which the message or its event has too. An entry about
many lists their keys: of those made at the one instant it is looked for in the order of the plan.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, select

from genesys_cloud.ledger.audit import instant
from genesys_cloud.ledger.tables import ABOUT_A_MESSAGE, audit_entries, messages

READ_ALL = 24
"""Up to how many entries of one instant are all read."""

NEAR = 12
"""How many entries beside the likely place are read on each side."""


@dataclass(frozen=True, kw_only=True)
class AuditFact:
    """An audit entry about a message; `messages` is how many others and it the entry names."""

    seq: int
    at: str
    actor: str
    action: str
    previous_status: str | None
    new_status: str | None
    reason: str | None
    messages: int


_FACTS = (
    audit_entries.c.seq,
    audit_entries.c.at,
    audit_entries.c.actor,
    audit_entries.c.action,
    audit_entries.c.previous_status,
    audit_entries.c.new_status,
    cast(audit_entries.c.details, Text).label("details"),
)


def own_entries(connection: Connection, row: Any, instants: Sequence[datetime]) -> list[AuditFact]:
    """Return the entries that name the message alone; `instants` are those at which it changed."""
    key = audit_entries.c.message_key == row.message_key
    at = audit_entries.c.at.in_(sorted({instant(moment) for moment in instants}))
    # Two searches, each by its own index; a planner that is given both at once may take neither.
    found = {
        entry.seq: entry
        for where in (ABOUT_A_MESSAGE, at)
        for entry in connection.execute(select(*_FACTS).where(key, where))
    }
    return [_fact(entry, 1) for _, entry in sorted(found.items())]


def bulk_entries(
    connection: Connection, row: Any, instants: Sequence[datetime]
) -> tuple[list[AuditFact], list[str]]:
    """Return the entries about many that list the message, and a sentence for each instant at
    which there were any and none was found to."""
    facts: list[AuditFact] = []
    gaps: list[str] = []
    for at in sorted({instant(moment) for moment in instants}):
        named = select(audit_entries.c.seq, audit_entries.c.action).where(
            audit_entries.c.at == at,
            audit_entries.c.campaign_id == row.campaign_id,
            audit_entries.c.message_key.is_(None),
            audit_entries.c.action.not_like("campaign.%"),
        )
        by_action: dict[str, list[int]] = defaultdict(list)
        for seq, action in connection.execute(named.order_by(audit_entries.c.seq)):
            by_action[action].append(seq)
        found = [_listing(connection, row, seqs) for seqs in by_action.values()]
        facts += [one for one in found if one is not None]
        if by_action and not any(found):
            gaps.append(
                f"The {sum(map(len, by_action.values())):,} audit entries about many messages of "
                f"{at} don't name it in the order of the plan; an export of the trail tells."
            )
    return facts, gaps


def _listing(connection: Connection, row: Any, seqs: Sequence[int]) -> AuditFact | None:
    """Return the entry that lists the message, of those of one action and instant."""
    if len(seqs) > READ_ALL:
        place = _last(seqs, lambda seq: _begins_before(connection, seq, row.id))
        seqs = seqs[max(place - NEAR, 0) : place + NEAR + 1]
    query = select(*_FACTS).where(audit_entries.c.seq.in_(seqs)).order_by(audit_entries.c.seq)
    for entry in connection.execute(query):
        keys = _details(entry).get("message_keys", ())
        if row.message_key in keys:
            return _fact(entry, len(keys))
    return None


def _last(seqs: Sequence[int], holds: Callable[[int], bool]) -> int:
    """Return the last place for which a condition holds that holds up to some place."""
    low, high = 0, len(seqs) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(seqs[middle]) else (low, middle - 1)
    return low


def _begins_before(connection: Connection, seq: int, message_id: int) -> bool:
    """Return whether the first message that an entry lists was planned no later than another."""
    query = select(*_FACTS).where(audit_entries.c.seq == seq)
    keys = _details(connection.execute(query).one()).get("message_keys", ())
    first = select(messages.c.id).where(messages.c.message_key == (keys[0] if keys else ""))
    found = connection.execute(first).scalar()
    return found is not None and found <= message_id


def _details(entry: Any) -> dict[str, Any]:
    try:
        found = json.loads(entry.details)
    except ValueError:  # somebody tampered with it; `audit verify` says so
        return {}
    return found if isinstance(found, dict) else {}


def _fact(entry: Any, about: int) -> AuditFact:
    reason = _details(entry).get("reason")
    return AuditFact(
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        previous_status=entry.previous_status,
        new_status=entry.new_status,
        reason=str(reason) if reason is not None else None,
        messages=about,
    )
