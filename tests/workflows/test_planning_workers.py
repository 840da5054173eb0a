"""Worker processes decide what the task's own process would: same rows, same order, same trail."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genesys_cloud.errors import AudienceError, PlanningInterruptedError
from genesys_cloud.ledger import campaigns
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.outbound.audience import Row, read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.deciding import Job
from genesys_cloud.workflows.holding import timekeeper_of
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence, rehearse
from genesys_cloud.workflows.planning_workers import BLOCK, Workers, decided
from tests.simulator.server import wait_for

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INCLUDE = PROJECT_ROOT / "include"
TEMPLATES = INCLUDE / "templates"
CAMPAIGN = Campaign(
    campaign_id="orders",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
    message_class="marketing",
    hold_out_share=0.1,
)
HEADER = "recipient_id,address,consent,language,timezone,name,orderId"
WORKERS = Workers(templates=TEMPLATES, count=2, after=3)


@pytest.fixture(scope="module")
def template() -> Template:
    return TemplateLibrary(root=TEMPLATES).load("order_update", "messaging:sms")


@pytest.fixture(scope="module")
def job() -> Job:
    return Job(
        campaign=CAMPAIGN, occurrence="once", profile="messaging",
        timekeeper=timekeeper_of(CAMPAIGN, INCLUDE, NOW), now=NOW,
    )  # fmt: skip


def stream(lines: list[str]) -> io.BytesIO:
    return io.BytesIO("\n".join([HEADER, *lines]).encode("utf-8", "surrogateescape"))


def line(number: int, dice: random.Random) -> str:
    """A row that may be bad in any way, and may repeat an address that is far above it."""
    address = dice.choice(
        [f"+1202{2000000 + dice.randrange(2000)}", f"+1 (305) 200-{dice.randrange(9999):04}",
         f"+4477009{dice.randrange(99999):05}", "junk", "", "+18005550199", "+15550001234"]
    )  # fmt: skip
    name = dice.choice(["Alex", "Zoë", "陽菜 😀", "", "=cmd()", "a\0b", "caf\udce9", "x" * 200])
    surplus = dice.choice(["", "", "", ",one,too,many"])
    consent, language = dice.choice(["true", "true", "no"]), dice.choice(["en", "es", "fr", "xx"])
    zone = dice.choice(["", "America/Chicago", "Mars/Base"])
    return f"r{number},{address},{consent},{language},{zone},{name},A-{number}{surplus}"


def messages(
    job: Job, template: Template, lines: list[str], workers: Workers | None
) -> list[PlannedMessage]:
    return list(decided(job, template, read_csv(stream(lines)), workers))


def children() -> set[int]:
    own = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for path in own for pid in path.read_text().split()}


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(0, 4 * BLOCK),
    workers=st.builds(
        Workers, templates=st.just(TEMPLATES), count=st.integers(1, 3), after=st.integers(0, 700)
    ),
)
def test_what_workers_decide_is_what_one_process_decides(
    job: Job, template: Template, *, seed: int, rows: int, workers: Workers
) -> None:
    dice = random.Random(seed)
    lines = [line(number, dice) for number in range(rows)]
    assert messages(job, template, lines, workers) == messages(job, template, lines, None)


def test_an_address_that_two_workers_see_is_one_person(job: Job, template: Template) -> None:
    rows = 3 * BLOCK
    lines = [f"r{n},+1202{2000000 + n % 700},true,en,,Sam,A" for n in range(rows)]
    everybody = replace(job, campaign=replace(CAMPAIGN, hold_out_share=0.0))
    found = messages(everybody, template, lines, replace(WORKERS, after=0))
    repeated = [one for one in found if one.reason_code == "duplicate_address"]
    assert len(repeated) == rows - 700
    assert repeated[0].reason == "The address repeats row 1."


def report_of(template: Template, lines: list[str], workers: Workers | None) -> PlanReport:
    rows = read_csv(stream(lines))
    return rehearse(CAMPAIGN, template, rows, occurrence="once", now=NOW, workers=workers)


def test_a_rehearsal_with_workers_reports_the_same(template: Template) -> None:
    dice = random.Random(7)
    lines = [line(number, dice) for number in range(2 * BLOCK + 7)]
    assert report_of(template, lines, WORKERS) == report_of(template, lines, None)


def test_a_short_list_starts_no_process(job: Job, template: Template) -> None:
    before = children()
    found = decided(job, template, read_csv(stream([line(n, random.Random(1)) for n in range(3)])),
                    WORKERS)  # fmt: skip
    assert [children() for _ in found] == [before] * 3


def many() -> list[str]:
    return [f"r{n},+1202{2000000 + n},true,en,,Sam,A-{n}" for n in range(20 * BLOCK)]


def test_a_worker_that_is_killed_is_an_error_and_the_next_planning_does_it_all(
    template: Template, tmp_path: Path
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    campaign = replace(CAMPAIGN, hold_out_share=0.0)
    before = children()

    def killing() -> Iterator[Row]:
        for row in read_csv(stream(many())):
            if row.number == 5 * BLOCK:
                os.kill(max(children() - before), signal.SIGKILL)
            yield row

    def plan(rows: Iterator[Row]) -> None:
        plan_occurrence(
            ledger, campaign, template, rows, occurrence="once", now=NOW, workers=WORKERS
        )

    with pytest.raises(PlanningInterruptedError, match=r"ended \(status -9\)"):
        plan(killing())
    assert children() <= before
    plan(read_csv(stream(many())))
    counted = campaigns.progress(ledger, "orders")
    assert counted.recipients == counted.states["planned"] == 20 * BLOCK
    ledger.close()


PLANNING = """
import itertools, time
from tests.workflows.test_planning_workers import *
library = TemplateLibrary(root=TEMPLATES)
template = library.load("order_update", "messaging:sms")
job = Job(campaign=CAMPAIGN, occurrence="once", profile="messaging", timekeeper=None, now=NOW)
rows = itertools.chain(read_csv(stream(many())), iter(lambda: time.sleep(60), 0))
for number, _ in enumerate(decided(job, template, rows, WORKERS)):
    if number == 2 * BLOCK:
        print(*children(), flush=True)
"""


def test_workers_end_with_a_task_that_is_killed() -> None:
    paths = f"{PROJECT_ROOT}:{PROJECT_ROOT / 'plugins'}"
    with subprocess.Popen(
        [sys.executable, "-c", PLANNING], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as task:  # fmt: skip
        assert task.stdout is not None
        workers = [int(pid) for pid in task.stdout.readline().split()]
        task.kill()
    assert len(workers) == WORKERS.count
    wait_for(lambda: [pid for pid in workers if is_running(pid)], lambda left: not left)


def is_running(pid: int) -> bool:
    """Whether a process does anything still; nobody may have taken note of its end yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def test_a_list_that_breaks_off_leaves_no_process(job: Job, template: Template) -> None:
    before = children()
    with pytest.raises(AudienceError):
        messages(job, template, [*many(), 'r,"open'], WORKERS)
    assert children() <= before


def test_whoever_stops_listening_leaves_no_process(job: Job, template: Template) -> None:
    before = children()
    found = decided(job, template, read_csv(stream(many())), WORKERS)
    for _ in range(2 * BLOCK):
        next(found)
    assert len(children() - before) == WORKERS.count
    found.close()
    assert children() <= before


def test_a_template_that_was_changed_meanwhile_is_not_used(job: Job, template: Template) -> None:
    before = children()
    with pytest.raises(PlanningInterruptedError, match="template's files were changed"):
        messages(job, replace(template, version="older"), many(), WORKERS)
    assert children() <= before
