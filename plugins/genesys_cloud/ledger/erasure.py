"""Erasure: everything personal about one person is destroyed, and what counts stays.

A row keeps its key, state, times and Genesys' id: campaigns add up as before, reports are the same,
and who is planned again in the same occurrence meets the old key and gets no second message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from genesys_cloud.errors import StillSendingError
from genesys_cloud.ledger import audit, kept_optouts, people, recovery, traces
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.page_tables import preview_samples
from genesys_cloud.ledger.tables import (
    campaigns,
    consents,
    messages,
    occurrences,
    status_events,
    suppressions,
)
from genesys_cloud.ledger.traces import Traces
from genesys_cloud.outbound.identity import Identity
from genesys_cloud.outbound.messages import IN_FLIGHT, WAITING, State

NOBODY = "-"
"""What stands for an erased address: no channel has such a one, so it equals nobody's."""

REASON_CODE = "erased"

_BLOCK = 500

_FREE_TEXTS = (
    campaigns.c.reason,
    suppressions.c.reason,
    suppressions.c.source,
    consents.c.reason,
    consents.c.source,
    consents.c.wording,
    consents.c.evidence,
    messages.c.reason_code,
)
"""Where people of ours write what they like, and what the API calls an error's code."""


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What an erasure did: `removed` and `kept` count by class, `audit_seq` is its audit entry.

    `message_ids` are Genesys' ids of the person's messages. Where nothing was found, there is no
    audit entry.
    """

    removed: Mapping[str, int]
    kept: Mapping[str, int]
    message_ids: Sequence[str]
    audit_seq: int | None

    @property
    def found(self) -> bool:
        """Whether there was anything to remove."""
        return any(self.removed.values())


def blank(now: datetime) -> dict[str, Any]:
    """Return the values that destroy everything personal in a message."""
    return {
        "address": NOBODY,
        "address_key": None,
        "recipient_id": NOBODY,
        "row_number": 0,
        "text": "",
        "text_digest": "",
        "reason": None,
        "correlation_id": None,
        "consent_proof": None,
        "place": None,
        "erased_at": now,
    }


def erase(
    ledger: Ledger,
    identity: Identity,
    *,
    certificate_id: str,
    reason: str,
    actor: str,
    now: datetime,
    forget_suppression: bool = False,
) -> Erased:
    """Destroy what the ledger knows of a person, in one transaction, and audit that it was done.

    What was planned or held is cancelled; an `unknown` message stays unknown without its address.
    A lasting opt-out stays as a digest alone, unless `forget_suppression`. Raises
    StillSendingError, and changes nothing, while a message to the person is in flight.
    """
    recovery.recover(ledger, now)
    with ledger.read() as connection:
        found = traces.search(connection, identity)
        quoting_entries = traces.quoting_entries(connection, identity)
    with ledger.write() as connection:
        audit.lock(connection)
        rows = _locked(connection, found)
        _refuse_in_flight(rows)
        removed, kept = _count(rows), Counter({"audit_entries_quoting": quoting_entries})
        _cancel(connection, rows, actor=actor, now=now)
        _blank_own(connection, rows, now)
        removed["status_events"] = _drop_events(connection, found)
        removed["quotations"], kept["texts_not_gone_out"] = _blank_quotations(connection, found)
        removed["quotations"] += _blank_free_texts(connection, identity)
        keys = traces.keys_of(identity)
        removed["preview_samples"] = _drop_samples(connection, identity, rows)
        removed["digest_keys"] = sum(
            people.forget(connection, channel, wire) for channel, wire in identity.wires.items()
        )
        removed.update(kept_optouts.strip(connection, keys, now=now, forget=forget_suppression))
        kept.update(kept_optouts.count(connection, keys))
        kept["unknown"] = sum(row.state == State.UNKNOWN for row in rows)
        kept["message_keys"] = len(rows)
        seq = None
        if any(removed.values()):
            entry = AuditEntry(
                at=now,
                actor=actor,
                action="person.erased",
                details={
                    "certificate": certificate_id,
                    "reason": identity.masked(reason),
                    "channels": sorted(identity.wires),
                    **removed,
                },
            )
            audit.append(connection, [entry])
            seq, _ = audit.lock(connection)
    return Erased(removed=removed, kept=kept, message_ids=found.message_ids, audit_seq=seq)


def _locked(connection: Connection, found: Traces) -> list[Any]:
    """Return the person's messages, which nobody else can change until the transaction ends."""
    columns = (
        messages.c.id, messages.c.message_key, messages.c.state, messages.c.text,
        messages.c.lease_until, messages.c.occurrence_id, messages.c.address_key,
    )  # fmt: skip
    return [
        row
        for block in _blocks(found.own)
        for row in connection.execute(
            select(*columns)
            .where(messages.c.id.in_(block))
            .order_by(messages.c.id)
            .with_for_update()
        )
    ]


def _refuse_in_flight(rows: Iterable[Any]) -> None:
    ends = [row.lease_until for row in rows if row.state in IN_FLIGHT]
    if ends:
        raise StillSendingError(
            "Nothing was erased: a message to this person is on its way out. Its outcome is known "
            f"by {max(ends):%Y-%m-%d %H:%M:%S} UTC at the latest; erase again then. Pausing the "
            "campaign keeps more from going out meanwhile."
        )


def _count(rows: Sequence[Any]) -> Counter[str]:
    return Counter({
        "messages": len(rows),
        "texts": sum(bool(row.text) for row in rows),
        "cancelled": sum(row.state in WAITING for row in rows),
    })  # fmt: skip


def _cancel(connection: Connection, rows: Sequence[Any], *, actor: str, now: datetime) -> None:
    """Cancel what has not gone out, and say so in the audit trail, message by message."""
    cancelled = [row for row in rows if row.state in WAITING]
    known = select(occurrences.c.id, occurrences.c.campaign_id).where(
        occurrences.c.id.in_({row.occurrence_id for row in cancelled})
    )
    names = {row.id: row.campaign_id for row in connection.execute(known)}
    for block in _blocks([row.id for row in cancelled]):
        connection.execute(
            update(messages)
            .where(messages.c.id.in_(block))
            .values(state=State.CANCELLED, reason_code=REASON_CODE, settled_at=now)
        )
    audit.append(
        connection,
        [
            AuditEntry(
                at=now,
                actor=actor,
                action="send.cancelled",
                campaign_id=names[row.occurrence_id],
                message_key=row.message_key,
                previous_status=row.state,
                new_status=State.CANCELLED,
                details={"reason": REASON_CODE},
            )
            for row in cancelled
        ],
    )


def _blank_own(connection: Connection, rows: Sequence[Any], now: datetime) -> None:
    for block in _blocks([row.id for row in rows]):
        connection.execute(update(messages).where(messages.c.id.in_(block)).values(blank(now)))


def _drop_samples(connection: Connection, identity: Identity, rows: Sequence[Any]) -> int:
    """Delete the person's texts from previews, and others' that quote the address."""
    keys = {*traces.keys_of(identity), *(row.address_key for row in rows if row.address_key)}
    quoting = select(preview_samples.c.id, preview_samples.c.text).where(
        traces.holds(preview_samples.c.text, identity)
    )
    found = [row.id for row in connection.execute(quoting) if identity.quoted_in(row.text)]
    by_key = (preview_samples.c.address_key.in_(some) for some in _blocks(sorted(keys)))
    by_id = (preview_samples.c.id.in_(ids) for ids in _blocks(found))
    return sum(
        connection.execute(delete(preview_samples).where(condition)).rowcount
        for condition in (*by_key, *by_id)
    )


def _drop_events(connection: Connection, found: Traces) -> int:
    by_message = (status_events.c.api_message_id.in_(ids) for ids in _blocks(found.message_ids))
    by_id = (status_events.c.id.in_(ids) for ids in _blocks(found.events))
    return sum(
        connection.execute(delete(status_events).where(condition)).rowcount
        for condition in (*by_message, *by_id)
    )


def _blank_quotations(connection: Connection, found: Traces) -> tuple[int, int]:
    """Blank what others' finished messages quote; return how many, and how many are not finished.

    A text that has not gone out is somebody else's message, and would go out mutilated.
    """
    unfinished = [State.PLANNED, State.HELD, State.UNKNOWN, *IN_FLIGHT]
    blanked = 0
    for block in _blocks(found.quoting):
        finished = messages.c.id.in_(block) & messages.c.state.not_in(unfinished)
        values = {
            "text": "", "text_digest": "", "reason": None, "correlation_id": None,
            "consent_proof": None,
        }  # fmt: skip
        blanked += connection.execute(update(messages).where(finished).values(values)).rowcount
    return blanked, len(found.quoting) - blanked


def _blank_free_texts(connection: Connection, identity: Identity) -> int:
    blanked = 0
    for column in _FREE_TEXTS:
        query = select(column).where(traces.holds(column, identity)).distinct()
        for text in connection.execute(query).scalars().all():
            changed = update(column.table).where(column == text)
            values = {column.name: identity.masked(text)}
            if identity.quoted_in(text):
                blanked += connection.execute(changed.values(values)).rowcount
    return blanked


def _blocks(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _BLOCK):
        yield list(items[start : start + _BLOCK])
