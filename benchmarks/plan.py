"""What planning costs: from the demo's contact list to a plan in the ledger."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import ledgers
from benchmarks.scale import Scale
from benchmarks.servers import ROOT
from benchmarks.table import Table
from benchmarks.timing import Cost, cost_of, cpu, interleave, seconds, times_as_long
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.foreseeing import Foresight
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.workflows.planning import plan_occurrence, rehearse

INCLUDE = ROOT / "include"
CONTACTS = INCLUDE / "audiences" / "demo_contacts.csv"
CAMPAIGN = Campaign(
    campaign_id="benchmark",
    audience=CONTACTS.name,
    template="appointment_reminder",
    channel="messaging:whatsapp",
    sender="whatsapp:+12025550100",
)
PLAIN = "`csv.DictReader` alone"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Rows of the list that are planned, and how often."""

    rows: int
    rounds: int
    databases: Sequence[str] = ledgers.BOTH


SIZES = {
    Scale.FULL: Sizes(rows=5_000, rounds=5),
    Scale.QUICK: Sizes(rows=1_000, rounds=3),
    Scale.TINY: Sizes(rows=50, rounds=1, databases=(ledgers.SQLITE,)),
}


def figure(sizes: Sizes, folder: Path) -> Table:
    """Compare a plan in the ledger, and one that is only rehearsed, with reading the file."""
    with ledgers.open_ledgers(folder, sizes.databases) as opened:
        work: dict[str, Callable[[], object]] = {
            PLAIN: lambda: _read(sizes.rows),
            "dry run, without a ledger": lambda: _rehearse(sizes.rows),
            **{
                f"dry run that asks {name}": lambda ledger=ledger: _rehearse(  # type: ignore[misc]
                    sizes.rows, ledger
                )
                for name, ledger in opened.items()
            },
            **{
                f"plan in {name}": lambda ledger=ledger: _plan(ledger, sizes.rows)  # type: ignore[misc]
                for name, ledger in opened.items()
            },
        }
        contestants = {name: lambda each=each: cost_of(each) for name, each in work.items()}
        costs = interleave(contestants, sizes.rounds)
    return Table(
        title="Planning the demo's contact list",
        columns=("", "rows a second", "CPU ms a row", "time beside reading"),
        rows=[_row(name, each, costs[PLAIN], sizes.rows) for name, each in costs.items()],
        notes=(
            f"{sizes.rows:,} rows, median of {sizes.rounds} interleaved runs; each plans a new "
            "occurrence. A row is parsed, checked, rendered in its language and written.",
        ),
    )


def _read(rows: int) -> None:
    with CONTACTS.open(newline="", encoding="utf-8", errors="replace") as file:
        list(islice(csv.DictReader(file), rows))


def _rehearse(rows: int, ledger: Ledger | None = None) -> None:
    template = TemplateLibrary(root=INCLUDE / "templates").load(CAMPAIGN.template, CAMPAIGN.channel)
    aim: dict[str, Any] = {"occurrence": "rehearsal", "now": datetime.now(UTC)}
    foresight = Foresight(ledger=ledger, campaign=CAMPAIGN, **aim) if ledger else None
    with CONTACTS.open("rb") as stream:
        people = islice(read_csv(stream), rows)
        rehearse(CAMPAIGN, template, people, **aim, foresight=foresight)


def _plan(ledger: Ledger, rows: int) -> None:
    template = TemplateLibrary(root=INCLUDE / "templates").load(CAMPAIGN.template, CAMPAIGN.channel)
    with CONTACTS.open("rb") as stream:
        plan_occurrence(
            ledger,
            CAMPAIGN,
            template,
            islice(read_csv(stream), rows),
            occurrence=uuid.uuid4().hex[:12],
            now=datetime.now(UTC),
        )


def _row(name: str, costs: Sequence[Cost], baseline: Sequence[Cost], rows: int) -> list[str]:
    return [
        name,
        f"{rows / seconds(costs):,.0f}",
        f"{1e3 * cpu(costs) / rows:.3f}",
        times_as_long(costs, baseline),
    ]
