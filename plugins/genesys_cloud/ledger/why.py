"""Why something was, or was not, sent: all that the ledger knows of a message or a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from genesys_cloud.ledger import needles, stories
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.needles import Meaning
from genesys_cloud.ledger.overview import visible
from genesys_cloud.ledger.stories import MessageStory
from genesys_cloud.ledger.tables import campaigns, consents, messages, occurrences, suppressions
from genesys_cloud.outbound.messages import mask_address, mask_numbers


@dataclass(frozen=True, kw_only=True)
class ConsentFact:
    """A decision of the person that the ledger has."""

    state: str
    channel: str
    purpose: str
    source: str
    wording: str
    manner: str | None
    reason: str
    decided_at: datetime
    recorded_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SuppressionFact:
    """An entry of the suppression list."""

    scope: str
    channel: str
    reason: str
    source: str
    created_at: datetime
    expires_at: datetime | None
    in_force: bool


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything about a person or a message, the newest message first.

    `meaning` is None where nothing was found; `hint` then says what is wrong with what was asked
    for, None where nothing is. `masked` is what was asked for, as a page may show it. `consents`
    and `suppressions` are the person's, also where there is no message at all; of an id they are
    those of the one person whom its messages went to. `before` asks for the next page.
    """

    meaning: Meaning | None
    masked: str
    messages: Sequence[MessageStory]
    before: int | None
    consents: Sequence[ConsentFact]
    suppressions: Sequence[SuppressionFact]
    hint: str | None = None


def explain(
    ledger: Ledger,
    needle: str,
    *,
    dag_ids: frozenset[str] | None,
    now: datetime,
    before: int | None = None,
    limit: int = 20,
    with_text: bool = False,
) -> Explanation:
    """Return all that is known of an address, a message key or its first 8 characters, an id that
    Genesys gave a message, or a conversation's.

    Only messages that `dag_ids` planned are shown, all where it is None.
    """
    with ledger.read() as connection:
        meant, hint = needles.read(connection, needle)
        if meant is None:
            return Explanation(
                meaning=None, masked=mask_address(needle.strip()), messages=[], before=None,
                consents=[], suppressions=[], hint=hint,
            )  # fmt: skip
        # All of them: an occurrence has one message for a person, and ids are of few messages.
        ids = connection.execute(needles.found_by(meant, visible(dag_ids))).scalars().all()
        older = sorted((one for one in ids if before is None or one < before), reverse=True)
        rows = _rows(connection, older[:limit])
        known = {row.address_key for row in rows if row.address_key}
        keys = meant.keys or (known if len(known) == 1 else ())
        return Explanation(
            meaning=meant.meaning,
            masked=meant.masked,
            messages=stories.tell(connection, rows, now=now, with_text=with_text),
            before=older[limit - 1] if len(older) > limit else None,
            consents=_consents(connection, keys),
            suppressions=_suppressions(connection, keys, now),
        )


def _rows(connection: Connection, ids: Sequence[int]) -> Sequence[Any]:
    query = (
        select(
            messages,
            *(column for column in occurrences.c if column.name not in messages.c),
            occurrences.c.plan_no.label("plan_no_of_occurrence"),
            campaigns.c.state.label("campaign_state"),
        )
        .join(occurrences, occurrences.c.id == messages.c.occurrence_id)
        .join(campaigns, campaigns.c.campaign_id == occurrences.c.campaign_id)
        .where(messages.c.id.in_(ids))
        .order_by(messages.c.id.desc())
    )
    return connection.execute(query).all()


def _consents(connection: Connection, keys: Collection[str]) -> list[ConsentFact]:
    own = consents.c.address_key.in_(keys)
    query = select(*_of(consents, ConsentFact)).where(own)
    rows = connection.execute(query.order_by(consents.c.decided_at, consents.c.id)).mappings()
    return [ConsentFact(**_masked(row)) for row in rows]


def _suppressions(
    connection: Connection, keys: Collection[str], now: datetime
) -> list[SuppressionFact]:
    own = suppressions.c.address_key.in_(keys)
    query = select(*_of(suppressions, SuppressionFact)).where(own)
    rows = connection.execute(query.order_by(suppressions.c.created_at)).mappings()
    return [
        SuppressionFact(
            **_masked(row), in_force=row["expires_at"] is None or row["expires_at"] > now
        )
        for row in rows
    ]


def _masked(row: RowMapping) -> dict[str, Any]:
    """Return a row without the numbers that somebody typed into its reason or source."""
    return {**row, "reason": mask_numbers(row["reason"]), "source": mask_numbers(row["source"])}


def _of(table: Table, fact: Any) -> list[Any]:
    """Return the columns of a table that a fact has fields for."""
    return [table.c[name] for name in fact.__dataclass_fields__ if name in table.c]
