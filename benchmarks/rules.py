"""What deciding about a million people costs: from a contact list to a plan in the ledger."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ledgers, plain_plan
from benchmarks.fresh import forget_peak, in_fresh_process, peak_mb
from benchmarks.people import write_list
from benchmarks.scale import Scale
from benchmarks.servers import ROOT
from benchmarks.table import Table
from benchmarks.timing import Cost, interleave, seconds
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.workflows.planning import plan_occurrence
from genesys_cloud.workflows.planning_workers import Workers

INCLUDE = ROOT / "include"
TEMPLATES = INCLUDE / "templates"
PROFILE = "agentless"
CAMPAIGN = Campaign(
    campaign_id="benchmark",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
LOOP = "plain loop"
PLAN = "plan"

_WARM_UP = 50


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Contact lists by their rows, and how often each is planned; workers come `after` so many."""

    rows: Sequence[int]
    rounds: int
    databases: Sequence[str] = ledgers.BOTH
    after: int | None = None


SIZES = {
    Scale.FULL: Lists(rows=(100_000, 1_000_000), rounds=1),
    Scale.QUICK: Lists(rows=(50_000,), rounds=1),
    Scale.TINY: Lists(rows=(200,), rounds=1, databases=(ledgers.SQLITE,), after=100),
}


@dataclass(frozen=True, kw_only=True)
class Planned(Cost):
    """What one planning took; `peak_mb` is the memory of all its processes, the database's not."""

    peak_mb: float


Work = Callable[[Ledger, Path, int | None], None]


def figure(lists: Lists, folder: Path) -> Table:
    """Compare the plan with a plain loop over the same rows, in fresh processes."""
    rows: list[list[str]] = []
    for count in lists.rows:
        people = folder / f"{count}.csv"
        write_list(people, count)
        for database in lists.databases:
            rows += _compared(lists, people, count, database, folder)
    return Table(
        title="Deciding about a long contact list",
        columns=("", "rows", "seconds", "rows a second", "CPU, s", "peak, MB", "beside loop"),
        rows=rows,
        notes=(
            "From the CSV to the ledger's last transaction, in a fresh process and an empty ledger "
            "each; the peak is the sum over the task's process and its workers, imports included. "
            "The CPU leaves out PostgreSQL's own.",
            "The plain loop reads with `csv.DictReader`, parses and validates with phonenumbers, "
            "renders with Jinja, counts segments, and inserts row by row, a thousand rows a "
            "transaction. It has no sandbox, no languages but the row's, no duplicates, no "
            "record of consent, no audit trail, no suppression list, and keeps no reason.",
            "`beside loop` is the rate over the loop's.",
        ),
    )


def _compared(
    lists: Lists, people: Path, count: int, database: str, folder: Path
) -> list[list[str]]:
    def contestant(work: Work) -> Callable[[], Planned]:
        return lambda: _measured(work, people, database, folder, lists.after)

    costs = interleave({LOOP: contestant(with_loop), PLAN: contestant(with_plan)}, lists.rounds)
    baseline = seconds(costs[LOOP])
    return [
        [
            f"{name}, {database}",
            f"{count:,}",
            f"{seconds(each):.1f}",
            f"{count / seconds(each):,.0f}",
            f"{min(one.cpu_s for one in each):.1f}",
            f"{max(one.peak_mb for one in each):.0f}",
            f"{baseline / seconds(each):.2f} x",
        ]
        for name, each in costs.items()
    ]


def _measured(work: Work, people: Path, database: str, folder: Path, after: int | None) -> Planned:
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        ledgers.open_ledgers(Path(name), (database,)) as opened,
    ):
        url = ledgers.url_of(opened[database])
        return in_fresh_process(build, work, url, people, after)


def build(work: Work, url: str, people: Path, after: int | None) -> Planned:
    """Plan a short list first, then measure the long one; for a fresh process."""
    ledger = open_ledger(url)
    short = people.with_name("short.csv")
    write_list(short, _WARM_UP)
    work(ledger, short, None)
    forget_peak()
    began, cpu = time.perf_counter(), _cpu_s()
    work(ledger, people, after)
    cost = Planned(
        seconds=time.perf_counter() - began, cpu_s=_cpu_s() - cpu, peak_mb=peak_mb() + _workers_mb()
    )
    ledger.close()
    return cost


def with_plan(ledger: Ledger, people: Path, after: int | None) -> None:
    """Plan as the DAG's task does."""
    template = TemplateLibrary(root=TEMPLATES).load(CAMPAIGN.template, CAMPAIGN.channel, PROFILE)
    workers = Workers.for_this_machine(INCLUDE)
    if workers is not None and after is not None:
        workers = replace(workers, after=after)
    with people.open("rb") as stream:
        plan_occurrence(
            ledger,
            CAMPAIGN,
            template,
            read_csv(stream),
            occurrence=people.stem,
            profile=PROFILE,
            workers=workers,
            now=datetime.now(UTC),
        )


def with_loop(ledger: Ledger, people: Path, _after: int | None) -> None:
    """Plan by the plain loop."""
    plain_plan.plan(ledger, CAMPAIGN, people, TEMPLATES)


def _cpu_s() -> float:
    """Return the processor time of this process and of those that it has started and ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _workers_mb() -> float:
    """Return the memory of all workers, taking each for as large as the largest."""
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    workers = Workers.for_this_machine(INCLUDE)
    return largest * workers.count if workers else 0.0
