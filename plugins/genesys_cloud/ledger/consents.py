"""Consents that people gave or withdrew after an audience was made.

A withdrawal overrules the audience's own column until the person gives consent again; a consent
given here does not replace one that the audience lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import RowMapping, select
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger import audit, people
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import address_key
from genesys_cloud.ledger.tables import consents
from genesys_cloud.outbound.messages import mask_address

REASON_CODE = "consent_withdrawn"


class ConsentState(StrEnum):
    """What a person decided."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One person's decision about one channel; `address` is in the channel's wire form."""

    channel: str
    address: str
    state: ConsentState
    source: str
    reason: str = ""


def record(ledger: Ledger, decided: Sequence[Consent], *, actor: str, now: datetime) -> None:
    """Keep people's decisions, in one transaction; the latest about a channel counts."""
    with ledger.write() as connection:
        # First, so that two records of the same people don't wait for each other's rows.
        audit.lock(connection)
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        for one in decided:
            values = {
                "channel": one.channel,
                "masked_address": mask_address(one.address),
                "state": one.state,
                "source": one.source,
                "reason": one.reason,
                "decided_at": now,
            }
            connection.execute(
                dialect.insert(consents)
                .values(address_key=address_key(one.channel, one.address), **values)
                .on_conflict_do_update(index_elements=["address_key"], set_=values)
            )
        remarks = [(f"consent.{one.state}", one) for one in decided]
        people.note(connection, remarks, actor=actor, now=now)


def listing(ledger: Ledger) -> list[RowMapping]:
    """Return every decision, the latest first."""
    query = select(consents).order_by(consents.c.decided_at.desc())
    with ledger.read() as connection:
        return list(connection.execute(query).mappings())
