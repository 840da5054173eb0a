"""Messages whose outcome nobody knows: found, settled by what the API lists, or by a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, Connection, RowMapping, Select, select, update

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit, events
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import WENT_OUT, messages, occurrences
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import Status, about_conversation

SHORTEST_KEY = 8
"""How much of a message key a person must give."""

MOST_LISTED = 10_000

_NAMES_PER_QUERY = 500


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
    """What the API lists for an unknown message: its id there and its status.

    `message_id` is None where the conversation alone is known that it went out in.
    """

    unknown: Unknown
    message_id: str | None
    status: str
    how: str
    conversation_id: str | None = None

    @property
    def subjects(self) -> list[str]:
        """What a status event may name the message by."""
        own = [self.message_id] if self.message_id else []
        return own + ([about_conversation(self.conversation_id)] if self.conversation_id else [])


def find(
    ledger: Ledger,
    *,
    campaign_id: str | None = None,
    key: str | None = None,
    since: datetime | None = None,
) -> list[Unknown]:
    """Return unknown messages, the oldest attempt first, at most MOST_LISTED.

    `since` leaves out what was attempted before it.
    """
    query = _detailed().where(WENT_OUT, messages.c.state == State.UNKNOWN)
    if since is not None:
        query = query.where(messages.c.attempted_at >= since)
    if campaign_id is not None:
        query = query.where(occurrences.c.campaign_id == campaign_id)
    if key is not None:
        query = query.where(messages.c.message_key.startswith(key, autoescape=True))
    ordered = query.order_by(messages.c.attempted_at, messages.c.id).limit(MOST_LISTED)
    with ledger.read() as connection:
        return [_unknown(row) for row in connection.execute(ordered).mappings()]


def rivals(ledger: Ledger, start: datetime, end: datetime) -> list[Unknown]:
    """Return the attempts of [start, end) that a listed stranger may be, whatever their campaign.

    Those whose answer is still on its way are among them.
    """
    query = _detailed().where(
        messages.c.state.in_([State.UNKNOWN, State.ATTEMPTING]),
        messages.c.attempted_at >= start,
        messages.c.attempted_at < end,
    )
    with ledger.read() as connection:
        return [_unknown(row) for row in connection.execute(query).mappings()]


def _detailed() -> Select[Any]:
    return select(
        messages, occurrences.c.campaign_id, occurrences.c.occurrence,
        occurrences.c.channel, occurrences.c.sender,
    ).join(occurrences, occurrences.c.id == messages.c.occurrence_id)  # fmt: skip


def known_ids(ledger: Ledger, message_ids: Sequence[str]) -> set[str]:
    """Return which of Genesys' ids belong to a message of the ledger already."""
    return _taken(ledger, messages.c.api_message_id, message_ids)


def strangers(ledger: Ledger, listed: Sequence[Delivery]) -> list[Delivery]:
    """Return what is listed and belongs, by its id or its conversation, to no message yet."""
    ids = known_ids(ledger, [one.message_id for one in listed])
    named = [one.conversation_id for one in listed if one.conversation_id]
    conversations = _taken(ledger, messages.c.conversation_id, named)
    return [
        one
        for one in listed
        if one.message_id not in ids and one.conversation_id not in conversations
    ]


def accept(ledger: Ledger, findings: Iterable[Finding], *, now: datetime) -> int:
    """Record what was found: the message was accepted, under this id or in this conversation.

    Returns how many changed.
    """
    changed = 0
    with ledger.write() as connection:
        audit.lock(connection)
        for finding in findings:
            status = _status_of(finding)
            values = {
                "api_message_id": finding.message_id,
                "conversation_id": finding.conversation_id,
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
            events.apply_parked(connection, finding.subjects, ledger.failures)
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


def _status_of(finding: Finding) -> Status:
    """Return where the message stands; a list of conversations does not say why one failed, and
    what is kept as failed is never asked about."""
    status = Status.parse(finding.status) or Status.QUEUED
    asked_about = finding.conversation_id and finding.message_id
    return Status.QUEUED if status is Status.FAILED and asked_about else status


def _taken(ledger: Ledger, column: Column[str], names: Sequence[str]) -> set[str]:
    """Return which names a message of the ledger has in a column."""
    found: set[str] = set()
    with ledger.read() as connection:
        for start in range(0, len(names), _NAMES_PER_QUERY):
            block = list(names[start : start + _NAMES_PER_QUERY])
            found.update(connection.execute(select(column).where(column.in_(block))).scalars())
    return found


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
