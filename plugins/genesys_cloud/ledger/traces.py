"""Where one person's data lies in the ledger: a search, which changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Text, cast, func, or_, select

from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.tables import audit_entries, messages, occurrences, status_events
from genesys_cloud.outbound.identity import Identity
from genesys_cloud.outbound.phone import SEPARATORS
from genesys_cloud.outbound.status import about_conversation

_QUOTING = ("text", "reason", "correlation_id", "consent_proof")
"""The columns of a message in which another person may be quoted."""

_SEARCHED = ("address", "recipient_id", *_QUOTING)
"""The columns of a message that may name a person."""


@dataclass(kw_only=True)
class Traces:
    """What was found.

    `own` are ids of the person's messages, `message_ids` are what events name them by; `quoting`
    are ids of other people's messages that quote the address, `events` of status events that do.
    """

    own: list[int] = field(default_factory=list)
    message_ids: list[str] = field(default_factory=list)
    quoting: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)


def keys_of(identity: Identity) -> list[str]:
    """Return the digests by which the ledger knows a person, one a channel."""
    return [address_key(channel, wire) for channel, wire in identity.wires.items()]


def search(connection: Connection, identity: Identity) -> Traces:
    """Return where a person's data lies; it reads every message once."""
    traces = Traces()
    keys = frozenset(keys_of(identity))
    for row in connection.execute(_candidates(identity, keys)):
        if _is_own(row, identity, keys):
            traces.own.append(row.id)
            traces.message_ids += [row.api_message_id] if row.api_message_id else []
            talk = row.conversation_id
            traces.message_ids += [about_conversation(talk)] if talk else []
        elif any(identity.quoted_in(getattr(row, name)) for name in _QUOTING):
            traces.quoting.append(row.id)
    columns = (status_events.c.event_id, status_events.c.api_message_id)
    quoting = select(status_events.c.id, *columns).where(
        or_(*(holds(column, identity) for column in columns))
    )
    for event in connection.execute(quoting):
        if identity.quoted_in(event.event_id) or identity.quoted_in(event.api_message_id):
            traces.events.append(event.id)
    return traces


def quoting_entries(connection: Connection, identity: Identity) -> int:
    """Count the audit entries in whose free text somebody quoted the address."""
    columns: Sequence[ColumnElement[Any]] = (
        cast(audit_entries.c.details, Text),
        audit_entries.c.actor,
        audit_entries.c.event_id,
    )
    query = select(*columns).where(or_(*(holds(column, identity) for column in columns)))
    return sum(any(map(identity.quoted_in, row)) for row in connection.execute(query))


def holds(column: ColumnElement[Any], identity: Identity) -> ColumnElement[bool]:
    """The condition that a column may quote the address; `quoted_in` then tells for sure."""
    plain: ColumnElement[Any] = column
    if identity.plainly:
        for separator in map(chr, SEPARATORS):
            plain = func.replace(plain, separator, "", type_=String)
    return plain.contains(identity.needle, autoescape=True)


def _candidates(identity: Identity, keys: frozenset[str]) -> Any:
    quoting = [holds(messages.c[name], identity) for name in _SEARCHED]
    query = select(
        messages.c.id,
        messages.c.api_message_id,
        messages.c.conversation_id,
        messages.c.address_key,
        *(messages.c[name] for name in _SEARCHED),
    ).where(or_(messages.c.address_key.in_(keys), *quoting))
    if identity.narrowed:
        query = query.join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        query = query.where(occurrences.c.channel.in_(list(identity.wires)))
    return query.order_by(messages.c.id)


def _is_own(row: Any, identity: Identity, keys: frozenset[str]) -> bool:
    return (
        row.address_key in keys
        or identity.quoted_in(row.address)
        or identity.quoted_in(row.recipient_id)
    )
