"""Who looks at the pages, and what they may see and do: asked of whoever knows, as Airflow does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from genesys_cloud.ledger import origins
from genesys_cloud.ledger.database import Ledger


class Visitor(Protocol):
    """Somebody who is logged in; DAGs, by their ids, carry the rights."""

    @property
    def name(self) -> str:
        """The user's name, as the audit trail keeps it."""

    def readable(self, dag_ids: frozenset[str]) -> frozenset[str]:
        """Return those of the DAGs that the user may see."""

    def runnable(self, dag_ids: frozenset[str]) -> frozenset[str]:
        """Return those of the DAGs of which the user may start runs."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What of the ledger one visitor may see: `dag_ids`, of which `everything` are all."""

    dag_ids: frozenset[str]
    everything: bool


def visitor_of(request: Request) -> Visitor:
    """Return who sent a request that has passed the guard."""
    visitor: Visitor = request.state.visitor
    return visitor


def sight_of(visitor: Visitor, ledger: Ledger) -> Sight:
    """Return what a visitor may see, of all that the ledger holds now."""
    known = origins.dag_ids(ledger)
    readable = visitor.readable(known)
    return Sight(dag_ids=readable, everything=readable == known and bool(known))


def lacking(visitor: Visitor, ledger: Ledger, campaign_id: str) -> frozenset[str]:
    """Return the DAGs that a visitor would have to be allowed to run to steer a campaign.

    All that have planned it count, also those that the visitor may not see: a campaign is paused as
    a whole. Whose tests they are does not: who sends must be able to stop it.
    """
    needed = origins.owners(ledger, campaign_id)
    return needed - visitor.runnable(needed)
