"""What the ledger would say of recipients who are not in it: a dry run asks, and changes nothing.

The rules are those of blocking.py and caps.py, asked by addresses in place of messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, or_, select

from genesys_cloud.ledger import blocking, caps, plans
from genesys_cloud.ledger.consents import recorded
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.ledger.row_sets import TEXT, encoded, row_set
from genesys_cloud.ledger.tables import consents, messages, occurrences, suppressions
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.consent import ConsentFrom, normalise_purpose
from genesys_cloud.outbound.messages import WAITING, State

_SUPPRESSED = suppressions.c.address_key.is_not(None)

TRIED = frozenset(State) - WAITING - {State.BLOCKED}
"""A send task has had the message, and no later plan changes it."""


@dataclass(kw_only=True)
class Foresight:
    """Says of a contact list, a batch after the other, what planning would find in the ledger.

    `before` is the campaign's occurrence with whose recipients they are compared, None for none.
    Whom a send task has had in the `occurrence` itself is not sent to again.
    """

    ledger: Ledger
    campaign: Campaign
    occurrence: str
    now: datetime
    before: str | None = None
    profile: str = "messaging"
    _purpose: str = field(init=False)
    _consent_from: ConsentFrom = field(init=False)
    _ready: int = field(default=0, init=False)
    _listed: int = field(default=0, init=False)
    _met: int = field(default=0, init=False)
    _begun: Row[Any] | None = field(default=None, init=False)
    _waiting: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._purpose = normalise_purpose(self.campaign.purpose)
        self._consent_from = ConsentFrom(self.campaign.consent_from)
        with self.ledger.read() as connection:
            own = select(occurrences).where(self._own(self.occurrence))
            self._begun = connection.execute(own).one_or_none()
            if self._begun is not None and self.campaign.most_messages is not None:
                self._ready = connection.execute(_count_in(self._begun, caps.TAKEN)).scalar_one()

    def look(self, batch: Sequence[PlannedMessage]) -> list[PlannedMessage]:
        """Return the next of the list as planning would leave them, in their order."""
        listed = [one.address_key for one in batch if one.address_key is not None]
        with self.ledger.read() as connection:
            known = _known(connection, listed, self.now)
            full = self._full(connection, listed)
            states = self._states(connection, listed)
            self._listed += len(listed)
            self._met += self._count_met(connection, listed)
        self._waiting += sum(state in WAITING for state in states.values())
        return [self._foreseen(one, known, full, states) for one in batch]

    def left_over(self) -> int:
        """Return how many of an earlier list wait in the occurrence, and go out with this one."""
        begun = self._begun
        if begun is None or begun.profile != self.profile or not plans.was_released(begun):
            return 0
        with self.ledger.read() as connection:
            waiting = connection.execute(_count_in(begun, WAITING)).scalar_one()
        return waiting - self._waiting

    def changed(self, before: str) -> tuple[int, int] | None:
        """Return how many of those looked at are new since an occurrence, and how many are gone.

        None where they were not compared with that one.
        """
        if before != self.before or before == self.occurrence:
            return None
        with self.ledger.read() as connection:
            had = connection.execute(
                select(func.count())
                .select_from(messages.join(occurrences))
                .where(self._own(before), messages.c.address_key.is_not(None))
            ).scalar_one()
        return self._listed - self._met, had - self._met

    def _foreseen(
        self,
        one: PlannedMessage,
        known: Mapping[str, Sequence[Row[Any]]],
        full: set[str],
        states: Mapping[str, State],
    ) -> PlannedMessage:
        if one.state is State.BLOCKED or one.address_key is None:
            return one
        if (state := states.get(one.address_key)) in TRIED:
            return one._replace(state=state, held_until=None)
        if code := self._refusal(one, known.get(one.address_key, ())):
            return _blocked(one, code, blocking.SENTENCES[code])
        cap, days = self.campaign.recipient_cap, self.campaign.recipient_cap_days
        if cap is not None and one.address_key in full:
            return _blocked(one, caps.CAPPED, caps.recipient_sentence(cap, days))
        self._ready += 1
        if (most := self.campaign.most_messages) is not None and self._ready > most:
            return _blocked(one, caps.CAMPAIGN_CAP, caps.campaign_sentence(most))
        return one

    def _refusal(self, one: PlannedMessage, rows: Sequence[Row[Any]]) -> str | None:
        return blocking.refusal(
            [recorded(row._mapping) for row in rows if row.state is not None],
            suppressed=any(row.suppressed for row in rows),
            purpose=self._purpose,
            consent_from=self._consent_from,
            row_expires_at=one.consent_expires_at,
            now=self.now,
        )

    def _states(self, connection: Connection, keys: Sequence[str]) -> Mapping[str, State]:
        if self._begun is None:
            return {}
        scope = {**encoded([{"address_key": key} for key in keys]), "within": self._begun.id}
        rows = connection.execute(_standing(connection.dialect.name), scope)
        return {row.address_key: State(row.state) for row in rows}

    def _full(self, connection: Connection, keys: Sequence[str]) -> set[str]:
        cap = self.campaign.recipient_cap
        if cap is None:
            return set()
        since = self.now - timedelta(days=self.campaign.recipient_cap_days)
        own = self._own(self.occurrence)
        channel = self.campaign.channel
        return caps.full_addresses(connection, keys, channel=channel, but=own, cap=cap, since=since)

    def _count_met(self, connection: Connection, keys: Sequence[str]) -> int:
        if self.before is None:
            return 0
        scope = {**encoded([{"address_key": key} for key in keys]), "before": self.before}
        scope["campaign_id"] = self.campaign.campaign_id
        return int(connection.execute(_met(connection.dialect.name), scope).scalar_one())

    def _own(self, occurrence: str) -> ColumnElement[bool]:
        return and_(
            occurrences.c.campaign_id == self.campaign.campaign_id,
            occurrences.c.occurrence == occurrence,
        )


def _known(
    connection: Connection, keys: Sequence[str], now: datetime
) -> Mapping[str, Sequence[Row[Any]]]:
    """Return what the ledger has of those addresses that it has anything of."""
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    scope = {**encoded([{"address_key": key} for key in keys]), "now": now}
    for row in connection.execute(_suspects(connection.dialect.name), scope):
        found[row.address_key].append(row)
    return found


def _count_in(begun: Row[Any], states: Collection[State]) -> Select[int]:
    own = messages.c.occurrence_id == begun.id
    return select(func.count()).where(own, messages.c.state.in_(states))


def _blocked(one: PlannedMessage, code: str, why: str) -> PlannedMessage:
    return one._replace(state=State.BLOCKED, held_until=None, reason_code=code, reason=why)


@cache
def _suspects(dialect: str) -> Select[Any]:
    own = row_set(dialect, {"address_key": TEXT})
    return (
        select(
            own.c.address_key,
            _SUPPRESSED.label("suppressed"),
            consents.c.state,
            consents.c.purpose,
            consents.c.decided_at,
            consents.c.expires_at,
        )
        .select_from(own)
        .outerjoin(
            suppressions, (suppressions.c.address_key == own.c.address_key) & blocking.IN_FORCE
        )
        .outerjoin(consents, consents.c.address_key == own.c.address_key)
        .where(or_(_SUPPRESSED, consents.c.id.is_not(None)))
    )


@cache
def _met(dialect: str) -> Select[Any]:
    own = row_set(dialect, {"address_key": TEXT})
    return (
        select(func.count())
        .select_from(own)
        .join(messages, messages.c.address_key == own.c.address_key)
        .where(
            messages.c.occurrence_id
            == select(occurrences.c.id)
            .where(
                occurrences.c.campaign_id == bindparam("campaign_id"),
                occurrences.c.occurrence == bindparam("before"),
            )
            .scalar_subquery()
        )
    )


@cache
def _standing(dialect: str) -> Select[Any]:
    own = row_set(dialect, {"address_key": TEXT})
    return (
        select(own.c.address_key, messages.c.state)
        .select_from(own)
        .join(messages, messages.c.address_key == own.c.address_key)
        .where(messages.c.occurrence_id == bindparam("within"))
    )
