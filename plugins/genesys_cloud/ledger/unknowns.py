"""Messages whose outcome nobody knows: found, settled by what the API lists, or by a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, select, update

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit, events
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import WENT_OUT, messages, occurrences
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import Status

SHORTEST_KEY = 8
"""How much of a message key a person must give."""

MOST_LISTED = 10_000


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A message that may or may not have gone out, with all that is known of it."""

    id: int
    message_key: str
    campaign_id: str
    occurrence: str
    channel: str
    sender: str
    address: str
    text_digest: str
    attempted_at: datetime
    reason_code: str | None
    reason: str | None
    correlation_id: str | None
    erased_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the API lists for an unknown message: its id there and its status."""

    unknown: Unknown
    message_id: str
    status: str
    how: str


def find(
    ledger: Ledger, *, campaign_id: str | None = None, key: str | None = None
) -> list[Unknown]:
    """Return unknown messages, the oldest attempt first, at most MOST_LISTED."""
    query = (
        select(messages, occurrences.c.campaign_id, occurrences.c.occurrence,
               occurrences.c.channel, occurrences.c.sender)
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .where(WENT_OUT, messages.c.state == State.UNKNOWN)
    )  # fmt: skip
    if campaign_id is not None:
        query = query.where(occurrences.c.campaign_id == campaign_id)
    if key is not None:
        query = query.where(messages.c.message_key.startswith(key, autoescape=True))
    ordered = query.order_by(messages.c.attempted_at, messages.c.id).limit(MOST_LISTED)
    with ledger.read() as connection:
        return [_unknown(row) for row in connection.execute(ordered).mappings()]


def known_ids(ledger: Ledger, message_ids: Sequence[str]) -> set[str]:
    """Return which of Genesys' ids belong to a message of the ledger already."""
    found: set[str] = set()
    with ledger.read() as connection:
        for start in range(0, len(message_ids), 500):
            block = list(message_ids[start : start + 500])
            ids = select(messages.c.api_message_id).where(messages.c.api_message_id.in_(block))
            found.update(id_ for id_ in connection.execute(ids).scalars() if id_)
    return found


def accept(ledger: Ledger, findings: Iterable[Finding], *, now: datetime) -> int:
    """Record what was found: the message was accepted under this id. Returns how many changed."""
    changed = 0
    with ledger.write() as connection:
        audit.lock(connection)
        for finding in findings:
            status = Status.parse(finding.status) or Status.QUEUED
            values = {
                "api_message_id": finding.message_id,
                "status": status.word,
                "status_at": now,
                "reason_code": None,
                "reason": None,
            }
            changed += _settle(
                connection, finding.unknown, State.ACCEPTED, values,
                actor="reconcile_sends", reason=finding.how, now=now,
                message_id=finding.message_id,
            )  # fmt: skip
            events.apply_parked(connection, [finding.message_id])
    return changed


def settle(
    ledger: Ledger,
    key: str,
    verdict: Literal["sent", "resend"],
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> Unknown:
    """Settle one unknown message as a person decides; `key` is its message key or its beginning.

    `sent` counts it as accepted without an id; `resend` plans it again, and the campaign's next run
    sends it: if it had gone out after all, the recipient gets it twice.
    """
    unknown = _one(ledger, key)
    sent = verdict == "sent"
    if unknown.erased_at is not None and not sent:
        raise CampaignDefinitionError(
            f"Message {key} can't be sent again: its recipient was erased, and neither address nor "
            "text is left. Settle it as sent."
        )
    values = {
        "reason_code": "settled_as_sent" if sent else None,
        "reason": reason if sent else None,
    }
    state = State.ACCEPTED if sent else State.PLANNED
    with ledger.write() as connection:
        if not _settle(connection, unknown, state, values, actor=actor, reason=reason, now=now):
            raise CampaignDefinitionError(
                f"Message {key} is no longer unknown: somebody settled it meanwhile. Look at it "
                "again with `genesys-cloud messages unknown`."
            )
    return unknown


def _settle(
    connection: Connection,
    unknown: Unknown,
    state: State,
    values: Mapping[str, object],
    *,
    actor: str,
    reason: str,
    now: datetime,
    message_id: str | None = None,
) -> int:
    changed = connection.execute(
        update(messages)
        .where(messages.c.id == unknown.id, messages.c.state == State.UNKNOWN)
        .values(
            state=state,
            fence=messages.c.fence + 1,
            settled_at=now if state is State.ACCEPTED else None,
            **values,
        )
    ).rowcount
    if changed:
        entry = AuditEntry(
            at=now,
            actor=actor,
            action=f"send.settled_as_{state}",
            campaign_id=unknown.campaign_id,
            message_key=unknown.message_key,
            message_id=message_id,
            previous_status=State.UNKNOWN,
            new_status=state,
            details={"reason": reason},
        )
        audit.append(connection, [entry])
    return changed


def _one(ledger: Ledger, key: str) -> Unknown:
    found = find(ledger, key=key) if len(key) >= SHORTEST_KEY else []
    if len(found) == 1:
        return found[0]
    raise CampaignDefinitionError(
        f"{key!r} names {len(found)} unknown messages, and one is wanted. Give a message key, or "
        f"at least its first {SHORTEST_KEY} characters, as `genesys-cloud messages unknown` lists."
    )


def _unknown(row: RowMapping) -> Unknown:
    return Unknown(**{name: row[name] for name in Unknown.__dataclass_fields__})
