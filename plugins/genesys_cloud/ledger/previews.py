"""Previews of runs: saved by the task that plans, shown before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, exists, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.page_tables import preview_samples, previews
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.messages import WAITING, State, mask_address
from genesys_cloud.outbound.preview import Preview
from genesys_cloud.outbound.preview_tally import Sample

PAGE = 5_000
"""Messages that are read at once."""

_OUTGOING = (
    messages.c.id, messages.c.language, messages.c.held_until, messages.c.text,
    messages.c.segments, messages.c.row_number, messages.c.address_key, messages.c.address,
)  # fmt: skip
_SAMPLED = tuple(column for column in preview_samples.c if column.name not in {"id", "preview_id"})


@dataclass(frozen=True, kw_only=True)
class SavedPreview:
    """The preview of an Airflow run; its samples are gone once their texts were to be deleted."""

    id: int
    dag_id: str
    run_id: str
    preview: Preview
    samples: tuple[Sample, ...] = ()


def save(
    ledger: Ledger, preview: Preview, samples: Iterable[Sample], *, dag_id: str, run_id: str
) -> int:
    """Keep a run's preview in place of the one that it may have, and return its id."""
    values = {
        "campaign_id": preview.campaign_id,
        "occurrence": preview.occurrence,
        "dry_run": preview.dry_run,
        "created_at": preview.created_at,
        "document": preview.as_json(),
    }
    with ledger.write() as connection:
        dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
        saved: int = connection.execute(
            dialect.insert(previews)
            .values(dag_id=dag_id, run_id=run_id, **values)
            .on_conflict_do_update(index_elements=["dag_id", "run_id"], set_=values)
            .returning(previews.c.id)
        ).scalar_one()
        connection.execute(delete(preview_samples).where(preview_samples.c.preview_id == saved))
        rows = [{"preview_id": saved, **asdict(sample)} for sample in samples]
        if rows:
            connection.execute(insert(preview_samples), rows)
    return saved


def find(ledger: Ledger, dag_id: str, run_id: str) -> SavedPreview | None:
    """Return a run's preview with its samples, None where the run has none."""
    with ledger.read() as connection:
        row = connection.execute(
            select(previews).where(previews.c.dag_id == dag_id, previews.c.run_id == run_id)
        ).one_or_none()
        if row is None:
            return None
        samples = connection.execute(
            select(*_SAMPLED)
            .where(preview_samples.c.preview_id == row.id)
            .order_by(preview_samples.c.id)
        )
        return _saved(row, tuple(Sample(**sample) for sample in samples.mappings()))


def last(ledger: Ledger, campaign_id: str, *, dag_id: str, run_id: str) -> SavedPreview | None:
    """Return a campaign's latest preview of another run that was real, without its samples.

    A dry run sends nothing, and a test goes to one's own numbers: neither is compared with.
    """
    real = exists().where(
        occurrences.c.campaign_id == previews.c.campaign_id,
        occurrences.c.occurrence == previews.c.occurrence,
        occurrences.c.is_test.is_(False),
    )
    query = (
        select(previews)
        .where(
            previews.c.campaign_id == campaign_id,
            previews.c.dry_run.is_(False),
            ~and_(previews.c.dag_id == dag_id, previews.c.run_id == run_id),
            real,
        )
        .order_by(previews.c.created_at.desc(), previews.c.id.desc())
        .limit(1)
    )
    with ledger.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _saved(row)


def count_changed(ledger: Ledger, occurrence_id: int, before: str) -> tuple[int, int] | None:
    """Return how many recipients an occurrence has that the one called `before` has not, and back.

    Of the same campaign; by their addresses, whether they get a message or not. None where `before`
    is this very occurrence, or is not in the ledger.
    """
    now = occurrences.alias("now")
    other = (
        select(occurrences.c.id)
        .join(now, now.c.campaign_id == occurrences.c.campaign_id)
        .where(
            now.c.id == occurrence_id, occurrences.c.occurrence == before,
            occurrences.c.id != now.c.id,
        )
    )  # fmt: skip
    with ledger.read() as connection:
        before_id = connection.execute(other).scalar_one_or_none()
        if before_id is None:
            return None
        new, gone = (
            connection.execute(_only_in(one, another)).scalar_one()
            for one, another in ((occurrence_id, before_id), (before_id, occurrence_id))
        )
    return new, gone


def waiting(ledger: Ledger, occurrence_id: int) -> Iterator[Any]:
    """Yield what of an occurrence is left to send, a page at a time."""
    query = select(*_OUTGOING).where(messages.c.occurrence_id == occurrence_id)
    # A state after the other: for both at once, each page would read and sort all that are left.
    for state in sorted(WAITING):
        own = query.where(messages.c.state == state).order_by(messages.c.id).limit(PAGE)
        after = 0
        while True:
            with ledger.read() as connection:
                page = connection.execute(own.where(messages.c.id > after)).all()
            if not page:
                break
            yield from page
            after = page[-1].id


def named(ledger: Ledger, ids: Sequence[int]) -> Iterator[Any]:
    """Yield messages by their row ids, as `waiting` does."""
    for first in range(0, len(ids), PAGE):
        some = messages.c.id.in_(ids[first : first + PAGE])
        with ledger.read() as connection:
            page = connection.execute(select(*_OUTGOING).where(some)).all()
        yield from page


def standing_out(ledger: Ledger, occurrence_id: int, languages: Collection[str]) -> Iterator[Any]:
    """Yield of each language the shortest and the longest text that is left, and the dearest."""
    length = func.length(messages.c.text)
    orders = (length, length.desc(), func.coalesce(messages.c.segments, 0).desc())
    ranks = [
        func.row_number().over(partition_by=messages.c.language, order_by=(order, messages.c.id))
        for order in orders
    ]
    ranked = (
        select(messages.c.id, *(rank.label(f"rank_{n}") for n, rank in enumerate(ranks)))
        .where(
            messages.c.occurrence_id == occurrence_id,
            messages.c.state.in_(WAITING),
            messages.c.language.in_(languages),
        )
        .subquery()
    )
    firsts = or_(*(column == 1 for column in ranked.c if column.name != "id"))
    with ledger.read() as connection:
        ids = connection.execute(select(ranked.c.id).where(firsts)).scalars().all()
    yield from named(ledger, ids)


def first_blocked(ledger: Ledger, plan: Plan, code: str, most: int) -> Sequence[str]:
    """Return the first rows of a plan's list that are blocked for a reason, addresses masked."""
    query = (
        select(messages.c.row_number, messages.c.address, messages.c.reason)
        .where(
            messages.c.occurrence_id == plan.occurrence_id,
            messages.c.plan_no == plan.number,
            messages.c.state == State.BLOCKED,
            messages.c.reason_code == code,
        )
        .order_by(messages.c.id)
        .limit(most)
    )
    with ledger.read() as connection:
        return [
            example(row.row_number, row.address, row.reason) for row in connection.execute(query)
        ]


def example(row_number: int, address: str, reason: str | None) -> str:
    """Return how a blocked row is shown: by its number, the end of its address, and why."""
    return f"row {row_number} ({mask_address(address)}): {reason}"


def _only_in(one: int, another: int) -> Any:
    theirs = messages.alias("theirs")
    return (
        select(func.count())
        .select_from(messages)
        .where(
            messages.c.occurrence_id == one,
            messages.c.address_key.is_not(None),
            ~exists().where(
                theirs.c.occurrence_id == another,
                theirs.c.address_key == messages.c.address_key,
            ),
        )
    )


def _saved(row: Row[Any], samples: tuple[Sample, ...] = ()) -> SavedPreview:
    return SavedPreview(
        id=row.id,
        dag_id=row.dag_id,
        run_id=row.run_id,
        preview=Preview.from_json(row.document),
        samples=samples,
    )
