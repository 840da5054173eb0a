"""Planning gives the same digest for the same plan, and another for any that is not the same."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.shards import cut_shards
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.quiet_policy import parse_policy
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.outbound.timing import Timekeeper
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.planning import plan_occurrence
from genesys_cloud.workflows.planning_workers import Workers
from tests import quiet
from tests.ledger.test_approvals import claim

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=12)
CAMPAIGN = Campaign(
    campaign_id="orders",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
HEADER = "recipient_id,address,consent,language,timezone,name,orderId"
PEOPLE = [
    "r1,+12025550101,true,en,America/New_York,Alex,A-1",
    "r2,+12025550102,true,es,America/New_York,Ana,A-2",
    "r3,+12025550103,,en,America/New_York,Sam,A-3",
]


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    shutil.copytree(PROJECT_ROOT / "include" / "templates", folder)
    return folder


def digest_of(
    ledger: Ledger,
    templates: Path,
    lines: Sequence[str] = PEOPLE,
    *,
    now: datetime = NOON,
    policy: str | None = None,
    workers: Workers | None = None,
    **settings: Any,
) -> str:
    campaign = replace(CAMPAIGN, **settings)
    timekeeper = policy and Timekeeper(
        quiet=parse_policy(policy), message_class=campaign.message_class, now=now
    )
    plan, _ = plan_occurrence(
        ledger,
        campaign,
        TemplateLibrary(root=templates).load("order_update", campaign.channel),
        read_csv(io.BytesIO("\n".join([HEADER, *lines]).encode())),
        occurrence="once",
        now=now,
        timekeeper=timekeeper or None,
        workers=workers,
    )
    return plan.digest


def test_neither_the_clock_nor_the_workers_make_it_another_plan(
    sqlite_ledger: Ledger, templates: Path
) -> None:
    marketing = {"message_class": "marketing", "policy": quiet.policy()}
    by_day = digest_of(sqlite_ledger, templates, **marketing)
    # At night all are held until the morning: who gets what is the same.
    assert digest_of(sqlite_ledger, templates, now=NIGHT, **marketing) == by_day
    workers = Workers(templates=templates, count=1, after=1)
    assert digest_of(sqlite_ledger, templates, workers=workers, **marketing) == by_day
    later = quiet.policy(opens="10:00")
    assert digest_of(sqlite_ledger, templates, **marketing | {"policy": later}) != by_day


def test_what_was_sent_meanwhile_does_not_make_it_another_plan(
    sqlite_ledger: Ledger, templates: Path
) -> None:
    before = digest_of(sqlite_ledger, templates)
    (shard,) = cut_shards(sqlite_ledger, 1, size=10, most=10)
    assert len(claim(sqlite_ledger, shard, most=1, later=timedelta(hours=5)).claims) == 1
    assert digest_of(sqlite_ledger, templates) == before
    assert len(claim(sqlite_ledger, shard, later=timedelta(hours=5)).claims) == 1


@pytest.mark.parametrize(
    "lines",
    [
        PEOPLE[:2],
        [PEOPLE[1], PEOPLE[0], PEOPLE[2]],
        [PEOPLE[0].replace("Alex", "Alix"), *PEOPLE[1:]],
        [PEOPLE[0].replace("r1", "r7"), *PEOPLE[1:]],
        [PEOPLE[0].replace(",en,", ",fr,"), *PEOPLE[1:]],
        [*PEOPLE[:2], PEOPLE[2].replace(",,", ",true,")],
        [*PEOPLE, "r4,+12025550104,true,en,,Lee,A-4"],
    ],
)
def test_other_people_texts_or_verdicts_make_it_another(
    sqlite_ledger: Ledger, templates: Path, lines: list[str]
) -> None:
    assert digest_of(sqlite_ledger, templates) != digest_of(sqlite_ledger, templates, lines)


@pytest.mark.parametrize(("name", "old"), [("order_update/fr.j2", "."), ("greetings.toml", "Hel")])
def test_another_template_makes_it_another_though_nobody_gets_that_language(
    sqlite_ledger: Ledger, templates: Path, name: str, old: str
) -> None:
    before = digest_of(sqlite_ledger, templates)
    file = templates / name
    file.write_text(file.read_text(encoding="utf-8").replace(old, old + "!"), encoding="utf-8")
    assert digest_of(sqlite_ledger, templates) != before
