"""Shards: the slices into which a plan is cut, one for each send task."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.messages import OPEN


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A slice of an occurrence's messages, by row id, both ends inclusive.

    `profile` is the one that they were planned for when the slice was cut, `plan_digest` the plan
    that it was cut from; None is one of before there were digests.
    """

    occurrence_id: int
    profile: str
    number: int
    first_id: int
    last_id: int
    plan_digest: str | None = None

    def holds(self) -> ColumnElement[bool]:
        """The condition that a message belongs to this shard."""
        return (messages.c.occurrence_id == self.occurrence_id) & messages.c.id.between(
            self.first_id, self.last_id
        )


def cut_shards(ledger: Ledger, occurrence_id: int, *, size: int, most: int) -> list[Shard]:
    """Cut what is left to do into shards of `size` messages, larger where more than `most`."""
    ids = select(messages.c.id, func.row_number().over(order_by=messages.c.id).label("place"))
    todo = ids.where(messages.c.occurrence_id == occurrence_id, messages.c.state.in_(OPEN))
    planned = select(occurrences.c.profile, occurrences.c.plan_digest)
    with ledger.read() as connection:
        found = connection.execute(planned.where(occurrences.c.id == occurrence_id)).one()
        count = connection.execute(select(func.count()).select_from(todo.subquery())).scalar_one()
        width = max(size, -(-count // most))
        numbered = todo.subquery()
        number = ((numbered.c.place - 1) / width).label("number")
        rows = connection.execute(
            select(
                func.floor(number).label("number"),
                func.min(numbered.c.id).label("first_id"),
                func.max(numbered.c.id).label("last_id"),
            )
            .group_by(func.floor(number))
            .order_by(func.floor(number))
        ).all()
    return [
        Shard(
            occurrence_id=occurrence_id,
            profile=found.profile,
            number=int(row.number),
            first_id=row.first_id,
            last_id=row.last_id,
            plan_digest=found.plan_digest,
        )
        for row in rows
    ]
