"""How long the pages of the live view wait for a ledger of ten million messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from benchmarks import ledgers, live_fill
from benchmarks.live_fill import BIG, NOW, Part
from benchmarks.scale import Scale
from benchmarks.table import Table
from genesys_cloud.ledger import campaign_page, overview, shortfall, why
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages, occurrences

BASELINE = "`GROUP BY` over all messages"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Messages in the ledger and their campaigns, and how often each query is asked."""

    messages: int
    campaigns: int = 60
    calls: int = 20
    databases: Sequence[str] = ledgers.BOTH


SIZES = {
    Scale.FULL: Sizes(messages=10_000_000),
    Scale.QUICK: Sizes(messages=1_000_000),
    Scale.TINY: Sizes(messages=3_000, campaigns=3, calls=1, databases=(ledgers.SQLITE,)),
}


def figure(sizes: Sizes, folder: Path) -> Table:
    """Fill a ledger and time what its pages ask, beside counting all messages."""
    rows: list[list[str]] = []
    for database in sizes.databases:
        with ledgers.open_ledgers(folder, [database]) as opened:
            began = time.perf_counter()
            parts = live_fill.fill(opened[database], sizes.messages, sizes.campaigns)
            filled = time.perf_counter() - began
            print(f"{database} filled in {filled:.0f} s", flush=True)
            rows += _timed(opened[database], database, parts, sizes)
        for left in folder.iterdir():
            if left.is_file():
                left.unlink()
    return Table(
        title="What the live view asks of the ledger",
        columns=("", "database", "calls", "median ms", "longest ms"),
        rows=rows,
        notes=(
            f"{sizes.messages:,} messages of {sizes.campaigns} campaigns, half of them of one "
            "that is sending; each asked by one process, one after the other.",
            "The database makes the rows itself. Every fifth message has audit entries and status "
            "events of its own, and all stand in the entries of their plan and attempt.",
        ),
    )


def _timed(ledger: Ledger, database: str, parts: Sequence[Part], sizes: Sizes) -> list[list[str]]:
    rows = [_row(BASELINE, database, [_milliseconds(lambda: _count_all(ledger))])]
    for name, ask in _questions(ledger, parts, sizes.messages).items():
        rows.append(_row(name, database, [_milliseconds(ask) for _ in range(sizes.calls)]))
    return rows


def _row(name: str, database: str, taken: Sequence[float]) -> list[str]:
    return [name, database, str(len(taken)), f"{median(taken):.1f}", f"{max(taken):.1f}"]


def _milliseconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return 1e3 * (time.perf_counter() - began)


def _count_all(ledger: Ledger) -> None:
    own = (occurrences.c.campaign_id, messages.c.state, messages.c.reason_code, messages.c.status)
    query = select(*own, func.count()).join(
        occurrences, occurrences.c.id == messages.c.occurrence_id
    )
    with ledger.read() as connection:
        connection.execute(query.group_by(*own)).all()


def _questions(
    ledger: Ledger, parts: Sequence[Part], count: int
) -> Mapping[str, Callable[[], object]]:
    everything = {"dag_ids": None}
    big = (ledger, BIG)
    second = overview.campaigns(ledger, now=NOW, **everything).before
    middle = (parts[0].first + parts[0].left) // 2 // 5 * 5
    person = live_fill.address(live_fill.person_of(parts[0], middle, count))
    with ledger.read() as connection:
        key = connection.execute(
            select(messages.c.message_key).where(messages.c.id == middle)
        ).scalar_one()
    deep = f"{parts[0].occurrence_id}.{middle}"

    def page(kind: str, reason: str, before: str | None = None) -> Callable[[], object]:
        return lambda: shortfall.page(*big, kind, reason, before=before, **everything)

    def explain(needle: str) -> Callable[[], object]:
        return lambda: why.explain(ledger, needle, now=NOW, **everything)

    return {
        "campaigns": lambda: overview.campaigns(ledger, now=NOW, **everything),
        "campaigns, second page": lambda: overview.campaigns(
            ledger, now=NOW, before=second, **everything
        ),
        "campaigns, searched, of one DAG": lambda: overview.campaigns(
            ledger, now=NOW, search="_01", dag_ids=frozenset({"send_campaign"})
        ),
        "one campaign": lambda: overview.campaign(*big, now=NOW, **everything),
        "its occurrences": lambda: campaign_page.occurrences(*big, **everything),
        "its sends over time": lambda: campaign_page.pace(*big, **everything),
        "its timeline": lambda: campaign_page.timeline(*big, **everything),
        "its reasons": lambda: shortfall.reasons(*big, **everything),
        "whose consent was missing": page("blocked", "consent_missing"),
        "the same from the middle on": page("blocked", "consent_missing", deep),
        "a rare reason": page("blocked", "too_many_segments"),
        "failed for no reason given": page("failed", "unspecified"),
        "why, by address": explain(person),
        "why, by message key": explain(key),
        "why, by half a key": explain(key[:12]),
        "why, by Genesys' id": explain(f"msg-{middle}"),
        "why, of a stranger": explain(live_fill.address(count)),
    }
