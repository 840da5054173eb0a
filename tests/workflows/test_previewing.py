from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from genesys_cloud.errors import PolicyError
from genesys_cloud.ledger import previews, suppressions
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.preview import Preview
from genesys_cloud.outbound.preview_tally import PreviewTally, Sample
from genesys_cloud.outbound.quiet_policy import parse_policy
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.outbound.timing import Timekeeper
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows import previewing
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence, rehearse
from genesys_cloud.workflows.planning_workers import Workers
from genesys_cloud.workflows.preparing import Prepared
from genesys_cloud.workflows.previewing import (
    Run,
    Shown,
    at_hand,
    foresee,
    keep,
    keep_rehearsed,
    left_to_send,
    preview_of,
    read_prices,
)
from genesys_cloud.workflows.summary import run_table

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INCLUDE = PROJECT_ROOT / "include"
CAMPAIGN = Campaign(
    campaign_id="orders",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
RUN = Run(
    dag_id="send_campaign",
    run_id="manual__1",
    campaign=CAMPAIGN,
    occurrence="once",
    prepared=Prepared(
        profile="agentless",
        template=TemplateLibrary(root=INCLUDE / "templates").load(
            "order_update", "messaging:sms", "agentless"
        ),
        requests_per_minute=300,
    ),
    prices=read_prices(INCLUDE),
    now=NOW,
    dry_run=False,
)
LONG = "O’Hara-" + "x" * 60
PEOPLE = [
    "r1,+12025550101,true,en,Al,A-1",
    f"r2,+12025550102,true,en,{LONG},A-2",
    "r3,+447400123456,true,es,Ana,A-3",
    "r4,+12025550104,false,en,Secretname,A-4",
]


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def planned(
    ledger: Ledger, people: Sequence[str] = PEOPLE, run: Run = RUN, **aim: object
) -> tuple[Preview, PlanReport, int]:
    header = "recipient_id,address,consent,language,name,orderId"
    rows = read_csv(io.BytesIO("\n".join([header, *people]).encode()))
    plan, report = plan_occurrence(
        ledger, run.campaign, run.prepared.template, rows, occurrence=run.occurrence,
        profile="agentless", now=run.now, **aim,
    )  # fmt: skip
    return preview_of(run, report, audience_digest="d1"), report, plan.occurrence_id


def test_a_preview_says_what_the_plan_would_do(ledger: Ledger) -> None:
    preview, report, _ = planned(ledger)
    assert (preview.recipients, preview.planned, preview.to_send) == (4, 3, 3)
    assert preview.languages == {"en": 2, "es": 1}
    assert preview.segments == 4  # the curly quote makes one of two segments
    assert preview.blocked == {"consent_not_verified": 1}
    assert preview.examples["consent_not_verified"][0].startswith("row 4 (…04): ")
    assert [(line.country, line.units) for line in preview.bill.lines] == [("US", 3), ("GB", 1)]
    # 3 requests at 300 a minute are 0.204 s apart
    assert preview.finish.at == NOW + timedelta(seconds=0.612)
    assert [(one.characters, one.segments) for one in preview.advice] == [("’", 1)]
    shown = keep(ledger, RUN, preview, report.tally.samples())
    found = previews.find(ledger, "send_campaign", "manual__1")
    assert found is not None
    assert found.preview == shown.preview == preview
    assert [(one.language, one.kind, one.row_number) for one in found.samples] == [
        ("en", "shortest", 1), ("en", "longest", 2), ("es", "shortest", 3),
    ]  # fmt: skip
    assert "Hello Al," in found.samples[0].text


def test_neither_log_nor_xcom_has_a_name_a_text_or_an_address(ledger: Ledger) -> None:
    preview, report, _ = planned(ledger)
    shown = keep(ledger, RUN, preview, report.tally.samples())
    table = run_table(report, shown.preview)
    for told in (table, str(shown.as_counts()), str(preview.as_json())):
        for private in ("Hello", "O’Hara", "Secretname", "2025550", "7400123456"):
            assert private not in told.replace(CAMPAIGN.sender, "")
    assert "about USD" in table
    assert "EXAMPLE prices" in table
    assert "advice: RIGHT SINGLE QUOTATION MARK" in table


def test_the_log_says_how_many_are_left_where_some_have_had_it(ledger: Ledger) -> None:
    preview, report, _ = planned(ledger)
    assert "left to this run" not in run_table(report, preview)
    assert re.search(r"^left to this run +1$", run_table(report, replace(preview, to_send=1)), re.M)


def test_what_goes_into_markdown_is_no_markup(ledger: Ledger) -> None:
    preview, _, _ = planned(ledger)
    hostile = replace(preview, bill=replace(preview.bill, version="[x](http://a) <b>|`_*\n# y"))
    told = keep(ledger, RUN, hostile, []).as_counts()["cost"]
    assert r"\[x\](http://a) \<b\>\|\`\_\* \# y" in told


def test_whom_the_ledger_blocks_is_in_no_estimate_and_no_sample(ledger: Ledger) -> None:
    no = Suppression(channel=CAMPAIGN.channel, address="+12025550102", reason="no", source="test")
    suppressions.add(ledger, [no], actor="test", now=NOW)
    preview, report, _ = planned(ledger)
    assert (preview.planned, preview.segments, preview.advice) == (2, 2, ())
    assert preview.languages == {"en": 1, "es": 1}
    assert [line.units for line in preview.bill.lines] == [1, 1]
    assert [sample.row_number for sample in report.tally.samples()] == [1, 3]
    assert preview.examples["suppressed"] == (
        "row 2 (…02): The address is on the suppression list.",
    )


def test_what_is_blocked_after_planning_is_not_counted_all_anew(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        f"r{n},{'+44740012' if n % 3 else '+1202555'}{1000 + n},true,{'es' if n % 2 else 'en'},"
        f"{'’' * (n % 2)}{'x' * (n * 37 % 90)},A-{n}"
        for n in range(100, 140)
    ]
    # The longest, the shortest, and some in between.
    lines = sorted(people, key=len)
    some = [line.split(",")[1] for line in [*lines[:4], *lines[18:22], *lines[-4:]]]
    suppressions.add(
        ledger,
        [
            Suppression(channel=CAMPAIGN.channel, address=one, reason="no", source="test")
            for one in some
        ],
        actor="test",
        now=NOW,
    )
    asked: list[int] = []
    monkeypatch.setattr(
        "genesys_cloud.workflows.planning.left_to_send", lambda *about: asked.append(1)
    )
    rule = (
        "dated = 2026-11-23\n[[rules]]\ncountry = 'US'\nclasses = ['informational']\n"
        "days = ['mon','tue','wed','thu','fri','sat','sun']\nopens = '08:00'\ncloses = '11:00'\n"
        "source = 'test'\n"
    )
    keeper = Timekeeper(quiet=parse_policy(rule), message_class="informational", now=NOW)
    _, report, occurrence_id = planned(ledger, people, timekeeper=keeper)
    assert report.held > 0
    assert report.blocked == {"suppressed": len(some)}
    anew = left_to_send(ledger, occurrence_id, CAMPAIGN.channel)
    found = report.tally
    assert (found.messages, found.segments) == (anew.messages, anew.segments)
    assert (found.languages, found.turned) == (anew.languages, anew.turned)
    assert set(found.traffic()) == set(anew.traffic())
    assert set(found.releases()) == set(anew.releases())
    assert stand_out(found) == stand_out(anew)
    assert asked == []


def stand_out(tally: PreviewTally) -> dict[str, tuple[int, int, int]]:
    """Return how long the shortest and the longest text of each language are, and the dearest."""
    shown: dict[str, list[Sample]] = {}
    for sample in tally.samples():
        shown.setdefault(sample.language, []).append(sample)
    return {
        language: (
            min(len(one.text) for one in some),
            max(len(one.text) for one in some),
            max(one.segments or 0 for one in some),
        )
        for language, some in shown.items()
    }


def test_whom_the_campaigns_cap_leaves_out_is_in_no_estimate(ledger: Ledger) -> None:
    preview, report, _ = planned(
        ledger, run=replace(RUN, campaign=replace(CAMPAIGN, most_messages=1))
    )
    assert (preview.planned, preview.segments, preview.languages) == (1, 1, {"en": 1})
    assert [sample.row_number for sample in report.tally.samples()] == [1]


def test_a_run_is_compared_with_the_one_before(ledger: Ledger) -> None:
    preview, report, _ = planned(ledger)
    assert keep(ledger, RUN, preview, report.tally.samples()).preview.difference is None
    later = replace(
        RUN, run_id="manual__2", occurrence="second", now=NOW + timedelta(days=1),
        campaign=replace(CAMPAIGN, messages_per_minute=1),
    )  # fmt: skip
    people = [*PEOPLE[1:], "r5,+12025550105,true,fr,Zoé,A-5", "r6,+12025550106,true,fr,Luc,A-6"]
    second, report, occurrence_id = planned(ledger, people, later)
    counted = partial(previews.count_changed, ledger, occurrence_id)
    shown = keep(ledger, later, second, report.tally.samples(), counted=counted)
    difference = shown.preview.difference
    assert difference is not None
    assert (difference.since, difference.new, difference.gone) == (NOW, 2, 1)
    assert [(one.name, one.before, one.now) for one in difference.settings] == [
        ("messages_per_minute", None, "1")
    ]
    assert ("language fr", 0, 2) in [(one.name, one.before, one.now) for one in difference.counts]
    assert shown.as_counts()["difference"][1] == "new recipients: 2, gone: 1"
    # The first one, cleared and planned again, is not compared with itself.
    again, report, _ = planned(ledger)
    against = keep(ledger, RUN, again, report.tally.samples()).preview.difference
    assert against is not None
    assert against.occurrence == "second"


def test_windows_and_the_deadline_decide_when_it_ends(ledger: Ledger) -> None:
    rule = (
        "dated = 2026-11-23\n[[rules]]\ncountry = '*'\nclasses = ['informational']\n"
        "days = ['mon','tue','wed','thu','fri','sat','sun']\nopens = '08:00'\ncloses = '11:00'\n"
        "source = 'test'\n"
    )
    keeper = Timekeeper(quiet=parse_policy(rule), message_class="informational", now=NOW)
    run = replace(RUN, campaign=replace(CAMPAIGN, deadline=NOW + timedelta(hours=18)))
    preview, _, _ = planned(ledger, run=run, timekeeper=keeper)
    # Eight o'clock is in an hour in Washington, and in twenty hours in London.
    assert preview.held == preview.planned
    assert preview.opens_at == preview.finish.starts_at == NOW + timedelta(hours=1)
    assert preview.finish.at == NOW + timedelta(hours=20, seconds=0.204)
    assert preview.finish.late == 1
    (warned, _) = keep(ledger, run, preview, []).as_counts()["warnings"]
    assert warned.startswith("1 message would still be waiting at the deadline")


def test_not_before_is_when_it_begins(ledger: Ledger) -> None:
    run = replace(RUN, campaign=replace(CAMPAIGN, not_before=NOW + timedelta(hours=3)))
    preview, _, _ = planned(ledger, run=run)
    assert preview.finish.starts_at == NOW + timedelta(hours=3)


def test_workers_find_the_same(ledger: Ledger) -> None:
    workers = Workers(templates=INCLUDE / "templates", count=2, after=1)
    alone, first, _ = planned(ledger)
    helped, second, _ = planned(
        ledger, run=replace(RUN, occurrence="second"), workers=workers
    )  # fmt: skip
    assert replace(helped, occurrence="once") == alone
    assert list(second.tally.samples()) == list(first.tally.samples())


def rehearsed(url: str, run: Run, people: Sequence[str] = PEOPLE) -> tuple[Shown, PlanReport]:
    header = "recipient_id,address,consent,language,name,orderId"
    rows = read_csv(io.BytesIO("\n".join([header, *people]).encode()))
    with at_hand(url) as ledger:
        foresight = foresee(ledger, run) if ledger else None
        report = rehearse(
            run.campaign, run.prepared.template, rows, occurrence=run.occurrence,
            profile="agentless", now=run.now, foresight=foresight,
        )  # fmt: skip
        preview = preview_of(run, report, audience_digest="d1")
        return keep_rehearsed(foresight, run, preview, report.tally.samples()), report


def test_a_dry_run_knows_what_the_ledger_knows(ledger: Ledger, ledger_url: str) -> None:
    preview, report, _ = planned(ledger)
    keep(ledger, RUN, preview, report.tally.samples())
    unwanted = Suppression(
        channel=CAMPAIGN.channel, address="+12025550101", reason="opted_out", source="test"
    )
    suppressions.add(ledger, [unwanted], actor="tester", now=NOW)
    dry = replace(
        RUN, run_id="manual__2", occurrence="second", now=NOW + timedelta(hours=1), dry_run=True
    )
    shown, report = rehearsed(ledger_url, dry, PEOPLE[:3])
    assert shown.preview.blocked == {"suppressed": 1}
    assert shown.preview.examples["suppressed"] == (
        "row 1 (…01): The address is on the suppression list.",
    )
    assert (shown.preview.planned, report.tally.languages) == (2, {"en": 1, "es": 1})
    assert shown.preview.difference is not None
    assert (shown.preview.difference.new, shown.preview.difference.gone) == (0, 1)


def test_a_dry_run_keeps_its_preview_and_does_without_a_ledger(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = replace(RUN, dry_run=True)
    url = f"sqlite:///{tmp_path}/ledger.db"
    shown, _ = rehearsed(url, run)
    assert shown.id == 1
    with caplog.at_level(logging.WARNING):
        away, _ = rehearsed(f"sqlite:///{tmp_path}/ledger.db/x.db", run)
    assert (away.id, away.preview) == (None, shown.preview)
    assert "does not know of suppressions" in caplog.text


def test_a_ledger_that_does_not_answer_in_the_end_costs_the_page_alone(
    ledger: Ledger,
    ledger_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(previewing, "PATIENCE_S", 1)
    run = replace(RUN, dry_run=True)
    preview, report, _ = planned(ledger)
    with at_hand(ledger_url) as opened, caplog.at_level(logging.WARNING):
        assert opened is not None
        foresight = foresee(opened, run)
        with ledger.write() as busy:
            if busy.dialect.name == "postgresql":
                busy.execute(text("LOCK TABLE previews"))
            shown = keep_rehearsed(foresight, run, preview, report.tally.samples())
    # All who were planned, for this dry run has looked at nobody's list.
    left_over = preview.planned
    assert (shown.id, shown.preview) == (None, replace(preview, left_over=left_over))
    assert "was not kept" in caplog.text


def test_prices_that_are_not_clear_stop_the_plan(tmp_path: Path) -> None:
    assert read_prices(tmp_path).example  # the project's own
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "prices.toml").write_text("dated = 1")
    with pytest.raises(PolicyError, match="nothing was planned: `dated` is not a date"):
        read_prices(tmp_path)
