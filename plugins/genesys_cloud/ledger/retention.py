"""Retention: what is older than the policy allows is destroyed, a small transaction at a time.

Rows of messages stay, so that campaigns and reports count as before. Only final messages are
touched: what is planned, held, on its way or unknown still needs its text and address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    except_,
    func,
    or_,
    select,
    update,
)

from genesys_cloud.ledger import audit, compaction
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.erasure import blank
from genesys_cloud.ledger.page_tables import preview_samples, previews
from genesys_cloud.ledger.retention_policy import RetentionPolicy
from genesys_cloud.ledger.tables import (
    consents,
    messages,
    occurrences,
    people,
    status_events,
    suppressions,
)
from genesys_cloud.outbound.messages import State

FINAL = (State.BLOCKED, State.ACCEPTED, State.REJECTED, State.CANCELLED, State.EXPIRED)
"""Where nothing more happens to a message but a later status."""

BATCH = 1_000
"""Rows in one transaction: senders wait for no more than that."""

PAGES = 20
"""Transactions for one search."""

_IN_OCCURRENCE = messages.join(occurrences, occurrences.c.id == messages.c.occurrence_id)


@dataclass(frozen=True, kw_only=True)
class _Class:
    """One class of data: what is due by a cutoff, and how some of it is destroyed.

    `policy` is the class whose days count. `due` selects one column, by whose order it is done.
    """

    policy: str
    due: Callable[[datetime], Select[Any]]
    destroy: Callable[[Connection, list[Any], datetime, datetime], int]


def apply(
    ledger: Ledger, policy: RetentionPolicy, *, actor: str, now: datetime, batch: int = BATCH
) -> Mapping[str, int]:
    """Destroy what the policy no longer allows to be kept, and return how many rows of each class.

    Each transaction has its own audit entry, so that the trail is right however a run ends.
    """
    run = _Run(ledger=ledger, policy=policy, actor=actor, now=now, batch=batch)
    done = {name: run.destroy(name) for name in _CLASSES}
    if any(done.values()):
        compaction.sweep(ledger)
    return done


def due(ledger: Ledger, policy: RetentionPolicy, *, now: datetime) -> Mapping[str, int]:
    """Count what `apply` would destroy."""
    counted = dict.fromkeys(_CLASSES, 0)
    with ledger.read() as connection:
        for name, kind in _CLASSES.items():
            cutoff = policy.cutoff(kind.policy, now)
            if cutoff is not None:
                rows = select(func.count()).select_from(kind.due(cutoff).subquery())
                counted[name] = connection.execute(rows).scalar_one()
    return counted


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One application of a policy."""

    ledger: Ledger
    policy: RetentionPolicy
    actor: str
    now: datetime
    batch: int

    def destroy(self, name: str) -> int:
        """Destroy what is due of one class, and return how many rows that were."""
        kind, done = _CLASSES[name], 0
        cutoff = self.policy.cutoff(kind.policy, self.now)
        if cutoff is None:
            return 0
        query = kind.due(cutoff)
        place = query.selected_columns[0]
        page = query.order_by(place).limit(self.batch * PAGES)
        # Looked for outside the transactions that write: a search may be long, they are not.
        while found := self._read(page):
            for start in range(0, len(found), self.batch):
                done += self._destroy(name, found[start : start + self.batch], cutoff)
            page = query.where(place > found[-1]).order_by(place).limit(self.batch * PAGES)
        return done

    def _read(self, page: Select[Any]) -> list[Any]:
        with self.ledger.read() as connection:
            return list(connection.execute(page).scalars())

    def _destroy(self, name: str, some: list[Any], cutoff: datetime) -> int:
        with self.ledger.write() as connection:
            audit.lock(connection)
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            changed = _CLASSES[name].destroy(connection, some, cutoff, self.now)
            audit.append(connection, [self._entry(name, changed, cutoff)] if changed else [])
        return changed

    def _entry(self, name: str, changed: int, cutoff: datetime) -> AuditEntry:
        return AuditEntry(
            at=self.now,
            actor=self.actor,
            action=f"retention.{name}",
            details={
                "rows": changed,
                "older_than": cutoff.isoformat(timespec="seconds"),
                "days": self.policy.days[_CLASSES[name].policy],
                "policy_dated": self.policy.dated.isoformat(),
            },
        )


def _is_due(cutoff: datetime) -> ColumnElement[bool]:
    # Planning blocks without a time of its own.
    ended = func.coalesce(messages.c.settled_at, occurrences.c.planned_at)
    return and_(messages.c.state.in_(FINAL), ended < cutoff)


def _final(cutoff: datetime, column: ColumnElement[Any] = messages.c.id) -> Select[Any]:
    return select(column).select_from(_IN_OCCURRENCE).where(_is_due(cutoff))


def _texts(cutoff: datetime) -> Select[Any]:
    return _final(cutoff).where(or_(messages.c.text != "", messages.c.text_digest != ""))


def _samples(cutoff: datetime) -> Select[Any]:
    """Select the texts that previews show; the previews stay, as numbers."""
    return (
        select(preview_samples.c.id)
        .join(previews, previews.c.id == preview_samples.c.preview_id)
        .where(previews.c.created_at < cutoff)
    )


def _addresses(cutoff: datetime) -> Select[Any]:
    return _final(cutoff).where(messages.c.erased_at.is_(None))


def _events(cutoff: datetime) -> Select[Any]:
    return select(status_events.c.id).where(status_events.c.received_at < cutoff)


def _keys(cutoff: datetime) -> Select[Any]:
    """Select the digest keys of those whose every message is due, and who said nothing lasting."""
    # EXCEPT, for PostgreSQL compares a large NOT IN row by row.
    unused = except_(
        select(people.c.address_key).where(
            people.c.address_key.in_(_final(cutoff, messages.c.address_key))
        ),
        select(messages.c.address_key).select_from(_IN_OCCURRENCE).where(~_is_due(cutoff)),
        select(suppressions.c.address_key),
        select(consents.c.address_key),
    ).subquery()
    return select(unused.c.address_key)


def _drop_texts(connection: Connection, ids: list[Any], cutoff: datetime, now: datetime) -> int:
    return _change(connection, _texts(cutoff), ids, {"text": "", "text_digest": ""})


def _drop_samples(connection: Connection, ids: list[Any], cutoff: datetime, now: datetime) -> int:
    return connection.execute(delete(preview_samples).where(preview_samples.c.id.in_(ids))).rowcount


def _drop_addresses(connection: Connection, ids: list[Any], cutoff: datetime, now: datetime) -> int:
    return _change(connection, _addresses(cutoff), ids, blank(now))


def _drop_events(connection: Connection, ids: list[Any], cutoff: datetime, now: datetime) -> int:
    return connection.execute(delete(status_events).where(status_events.c.id.in_(ids))).rowcount


def _drop_keys(connection: Connection, keys: list[Any], cutoff: datetime, now: datetime) -> int:
    return connection.execute(delete(people).where(people.c.address_key.in_(keys))).rowcount


def _change(
    connection: Connection, due: Select[Any], ids: list[Any], values: Mapping[str, Any]
) -> int:
    # Asked again: a plan may have taken up a blocked message since it was found.
    still = due.where(messages.c.id.in_(ids))
    return connection.execute(
        update(messages).where(messages.c.id.in_(still)).values(**values)
    ).rowcount


_CLASSES = {
    "texts": _Class(policy="texts", due=_texts, destroy=_drop_texts),
    "preview_samples": _Class(policy="texts", due=_samples, destroy=_drop_samples),
    # Before the addresses: afterwards nobody could tell whose key it is.
    "digest_keys": _Class(policy="addresses", due=_keys, destroy=_drop_keys),
    "addresses": _Class(policy="addresses", due=_addresses, destroy=_drop_addresses),
    "events": _Class(policy="events", due=_events, destroy=_drop_events),
}
