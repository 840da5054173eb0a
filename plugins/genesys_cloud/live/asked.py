"""What every page works with: who asks, the ledger, and the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.ledger import overview
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.overview import CampaignSummary
from genesys_cloud.live.safety import TOKEN_HEADER, Refused, Tokens, check_same_origin
from genesys_cloud.live.visitors import Sight, Visitor, sight_of, visitor_of
from genesys_cloud.outbound.campaign import CAMPAIGN_ID

OPENING_S = 2.0
"""How long a request waits for another one that opens the ledger."""


class OpenLedger:
    """Keeps the ledger open between requests; after an error it is opened, and checked, anew.

    Airflow serves its tasks with the threads that wait here, so that few may wait, and not long.
    """

    def __init__(self, open_: Callable[[], Ledger]) -> None:
        self._open = open_
        self._lock = Lock()
        self._ledger: Ledger | None = None

    def get(self) -> Ledger:
        """Return the ledger; raises what opening it raises, or LedgerUnavailableError."""
        if (ledger := self._ledger) is not None:
            return ledger
        if not self._lock.acquire(timeout=OPENING_S):
            raise LedgerUnavailableError("The ledger is being opened, which takes long.")
        try:
            ledger = self._ledger = self._ledger or self._open()
            return ledger
        finally:
            self._lock.release()

    def drop(self) -> None:
        """Forget the ledger, for it did not answer."""
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.close()


@dataclass(frozen=True, kw_only=True)
class Backing:
    """What an app of live pages keeps for all its requests."""

    ledger: OpenLedger
    tokens: Tokens
    clock: Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request that has passed the guard."""

    visitor: Visitor
    ledger: Ledger
    now: datetime
    token: str

    def sight(self) -> Sight:
        """Return what the visitor may see."""
        return sight_of(self.visitor, self.ledger)

    def campaign(self, campaign_id: str, dag_ids: frozenset[str]) -> CampaignSummary:
        """Return a campaign; who may not see it learns no more than that there is no such page."""
        found = None
        if CAMPAIGN_ID.match(campaign_id):
            found = overview.campaign(self.ledger, campaign_id, now=self.now, dag_ids=dag_ids)
        if found is None:
            raise Refused(404, "There is no such campaign, or you may not see it.")
        return found


def asked(request: Request) -> Asked:
    """Return a request as the pages need it; it waits for the ledger in a thread of its own."""
    backing: Backing = request.app.state.backing
    visitor = visitor_of(request)
    return Asked(
        visitor=visitor,
        ledger=backing.ledger.get(),
        now=backing.clock(),
        token=backing.tokens.give(visitor.name),
    )


def posted(request: Request) -> None:
    """Refuse a post that did not come from one of our pages, opened by this very visitor."""
    check_same_origin(request)
    backing: Backing = request.app.state.backing
    token = request.headers.get(TOKEN_HEADER, "")
    backing.tokens.check(token, visitor_of(request).name)


Ask = Annotated[Asked, Depends(asked)]
