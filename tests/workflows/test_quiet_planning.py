"""What quiet hours make of a plan: who is held, whom nobody can place, what a later plan does."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from genesys_cloud.errors import CampaignDefinitionError, UnaccountedError
from genesys_cloud.ledger import audit, campaigns, suppressions
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.shards import cut_shards
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.form.params import campaign_form
from genesys_cloud.workflows.holding import timekeeper_of
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence, rehearse
from genesys_cloud.workflows.summary import check_accounted, plan_table

INCLUDE = PROJECT_ROOT / "include"
CAMPAIGN = Campaign(
    campaign_id="winter_sale",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
    message_class="marketing",
)
HEADER = "recipient_id,address,consent,name,orderId,timezone,country,region"
# 02:30 UTC on a Tuesday: 21:30 on Monday in New York, 20:30 in Chicago, 18:30 in Los Angeles.
NIGHT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
WASHINGTON = "w,+12025550101,true,Al,A-1,,,"
CHICAGO = "c,+13125550102,true,Bo,A-2,,,"
OKLAHOMAN_WITH_A_CHICAGO_NUMBER = "o,+13125550103,true,Cy,A-3,,,OK"
MOVED_WEST = "l,+12025550104,true,Di,A-4,America/Los_Angeles,,"
PARIS = "p,+33612345678,true,Ed,A-5,,,"
NO_CONSENT = "n,+12025550106,false,Fy,A-6,,,"
PEOPLE = [WASHINGTON, CHICAGO, OKLAHOMAN_WITH_A_CHICAGO_NUMBER, MOVED_WEST, PARIS, NO_CONSENT]


@pytest.fixture(scope="module")
def template() -> Template:
    return TemplateLibrary(root=INCLUDE / "templates").load("order_update", "messaging:sms")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def read(lines: Sequence[str]) -> Any:
    return read_csv(io.BytesIO("\n".join([HEADER, *lines]).encode()))


def plan(
    ledger: Ledger,
    template: Template,
    lines: Sequence[str],
    *,
    now: datetime = NIGHT,
    campaign: Campaign = CAMPAIGN,
) -> PlanReport:
    _, report = plan_occurrence(
        ledger,
        campaign,
        template,
        read(lines),
        occurrence="once",
        now=now,
        timekeeper=timekeeper_of(campaign, INCLUDE, now),
    )
    return report


def suppress(ledger: Ledger, address: str) -> None:
    stopped = Suppression(
        channel=CAMPAIGN.channel, address=address, reason="opted_out", source="test"
    )
    suppressions.add(ledger, [stopped], actor="tester", now=NIGHT)


def rows(ledger: Ledger) -> dict[str, Any]:
    with ledger.read() as connection:
        found = connection.execute(select(messages).order_by(messages.c.id)).all()
    return {row.recipient_id: row for row in found}


def test_whoever_has_quiet_hours_is_held_until_their_window_opens(
    ledger: Ledger, template: Template
) -> None:
    report = plan(ledger, template, PEOPLE)

    found = rows(ledger)
    assert {name: row.state for name, row in found.items()} == {
        "w": "held", "c": "planned", "o": "held", "l": "planned", "p": "held", "n": "blocked",
    }  # fmt: skip
    assert {name: row.held_until for name, row in found.items() if row.held_until} == {
        "w": datetime(2026, 11, 24, 13, tzinfo=UTC),  # 8:00 in New York
        "o": datetime(2026, 11, 24, 14, tzinfo=UTC),  # 8:00 in Chicago, by Oklahoma's evening
        "p": datetime(2026, 11, 24, 9, tzinfo=UTC),  # 10:00 in Paris
    }
    assert found["w"].place == "marketing|US||America/New_York"
    assert found["o"].place == "marketing|US|OK|America/Chicago"
    assert found["l"].place == "marketing|US||America/Los_Angeles"
    assert found["n"].place is None
    assert found["w"].reason_code == "quiet_hours"
    assert (
        found["w"].reason
        == "Quiet hours at the recipient's place; the window opens 2026-11-24 13:00 UTC."
    )
    assert found["c"].reason is None
    counts = report.as_counts()
    assert (counts["recipients"], counts["planned"], counts["held"]) == (6, 5, 3)
    assert counts["opens_at"] == "2026-11-24T09:00:00+00:00"


def test_a_held_recipient_has_a_text_and_segments_as_a_planned_one(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, PEOPLE)

    held = rows(ledger)["w"]
    assert (held.text, held.segments) == ("Hello Al, your order A-1 is ready.", 1)


def test_the_plans_table_says_how_many_wait_and_from_when_on(
    ledger: Ledger, template: Template
) -> None:
    table = plan_table(plan(ledger, template, PEOPLE))

    lines = [line.split() for line in table.splitlines()]
    assert ["ready", "to", "send", "5"] in lines
    assert ["of", "these", "held", "by", "quiet", "hours", "3"] in lines
    assert ["first", "window", "opens", "2026-11-24", "09:00", "UTC"] in lines


def test_a_dry_run_says_the_same(ledger: Ledger, template: Template) -> None:
    rehearsed = rehearse(
        CAMPAIGN, template, read(PEOPLE), occurrence="once",
        timekeeper=timekeeper_of(CAMPAIGN, INCLUDE, NIGHT),
    )  # fmt: skip

    assert rehearsed.as_counts() == plan(ledger, template, PEOPLE).as_counts()


def test_the_trail_names_the_policy_and_who_is_held(ledger: Ledger, template: Template) -> None:
    plan(ledger, template, PEOPLE)

    trail = {row["action"]: row for row in audit.read(ledger)}
    found = rows(ledger)
    assert set(trail["plan.held"]["details"]["message_keys"]) == {
        found[name].message_key for name in ("w", "o", "p")
    }
    assert trail["plan.held"]["new_status"] == "held"
    assert trail["plan.held"]["details"]["reason"] == "quiet_hours"
    planned = trail["campaign.planned"]["details"]
    assert (planned["planned"], planned["held"]) == (5, 3)
    assert planned["quiet_hours"].startswith("2026-11-23.")


def test_an_informational_campaign_goes_out_at_any_hour_and_keeps_no_place(
    ledger: Ledger, template: Template
) -> None:
    report = plan(
        ledger, template, PEOPLE, campaign=replace(CAMPAIGN, message_class="informational")
    )

    assert (report.planned, report.held, report.quiet_hours) == (5, 0, None)
    assert {row.place for row in rows(ledger).values()} == {None}
    assert "quiet" not in plan_table(report)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("s,+881612345678,true,Al,A-1,,,", "tells no time zone"),
        ("s,+881612345678,true,Al,A-1,Mars/Olympus,,", "tells no time zone"),
        # A mobile number of Russia, from Kaliningrad's clock to Kamchatka's, ten hours ahead.
        ("s,+79161234567,true,Al,A-1,,,", "time zones that share no open hour"),
    ],
)
def test_whose_clock_nobody_knows_is_blocked(
    template: Template, tmp_path: Path, line: str, why: str
) -> None:
    policy = tmp_path / "policies" / "quiet_hours.toml"
    policy.parent.mkdir()
    shipped = (INCLUDE / "policies/quiet_hours.toml").read_text(encoding="utf-8")
    policy.write_text(shipped.replace('opens = "09:00"', 'opens = "13:00"'), encoding="utf-8")
    report = rehearse(
        CAMPAIGN, template, read([line]), occurrence="once",
        timekeeper=timekeeper_of(CAMPAIGN, tmp_path, NIGHT),
    )  # fmt: skip

    assert report.blocked == {"timezone_unknown": 1}
    assert why in report.examples["timezone_unknown"][0]


def test_all_that_is_wrong_with_a_row_is_said_at_once(template: Template) -> None:
    report = rehearse(
        CAMPAIGN, template, read(["s,+881612345678,false,Al,A-1,,,"]), occurrence="once",
        timekeeper=timekeeper_of(CAMPAIGN, INCLUDE, NIGHT),
    )  # fmt: skip

    assert report.blocked == {"consent_not_verified": 1}
    assert "tells no time zone" in report.examples["consent_not_verified"][0]


def test_an_id_on_another_channel_is_where_its_row_says(template: Template) -> None:
    campaign = replace(CAMPAIGN, channel="messaging:web", sender="shop")
    loaded = TemplateLibrary(root=INCLUDE / "templates").load("order_update", "messaging:web")
    lines = ["a,id-1,true,Al,A-1,Europe/Paris,FR,", "b,id-2,true,Bo,A-2,Europe/Paris,,"]
    lines.append("c,id-3,true,Cy,A-3,,FR,")
    sunday = datetime(2026, 11, 29, 12, tzinfo=UTC)  # closed in France, and nowhere else

    report = rehearse(
        campaign, loaded, read(lines), occurrence="once",
        timekeeper=timekeeper_of(campaign, INCLUDE, sunday),
    )  # fmt: skip

    assert (report.planned, report.held) == (2, 1)
    assert report.blocked == {"timezone_unknown": 1}


def test_a_later_plan_lets_go_of_whose_window_is_open_by_then(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, PEOPLE)
    morning = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)  # 8:30 in New York, 7:30 in Chicago

    report = plan(ledger, template, PEOPLE, now=morning)

    found = rows(ledger)
    assert {name: row.state for name, row in found.items()} == {
        "w": "planned", "c": "held", "o": "held", "l": "held", "p": "planned", "n": "blocked",
    }  # fmt: skip
    assert (found["w"].held_until, found["w"].reason_code) == (None, None)
    assert (report.planned, report.held) == (5, 3)


def test_a_later_plan_of_another_class_holds_nobody(ledger: Ledger, template: Template) -> None:
    plan(ledger, template, PEOPLE)

    plan(ledger, template, PEOPLE, campaign=replace(CAMPAIGN, message_class="informational"))

    found = rows(ledger).values()
    assert {(row.place, row.held_until) for row in found} == {(None, None)}
    assert {row.state for row in found} == {"planned", "blocked"}


def test_who_is_suppressed_is_blocked_by_the_plan_though_they_were_held(
    ledger: Ledger, template: Template
) -> None:
    suppress(ledger, "+12025550101")

    report = plan(ledger, template, PEOPLE)

    assert rows(ledger)["w"].state == "blocked"
    assert (report.planned, report.held, report.blocked["suppressed"]) == (4, 2, 1)


def test_the_first_window_is_that_of_somebody_who_is_held(
    ledger: Ledger, template: Template
) -> None:
    late = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)
    suppress(ledger, "+12025550101")
    report = plan(ledger, template, [WASHINGTON, CHICAGO], now=late)
    assert (report.held, report.opens_at) == (1, datetime(2026, 11, 24, 14, tzinfo=UTC))


def test_who_is_not_on_the_list_any_more_is_not_in_its_numbers(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, [WASHINGTON, CHICAGO])
    suppress(ledger, "+13125550102")
    report = plan(ledger, template, [WASHINGTON])
    assert (report.recipients, report.planned, report.blocked.total()) == (1, 1, 0)


def test_a_cap_does_not_count_who_is_not_on_the_list(ledger: Ledger, template: Template) -> None:
    plan(ledger, template, [WASHINGTON, CHICAGO])
    capped = replace(CAMPAIGN, most_messages=1)
    report = plan(ledger, template, [WASHINGTON], campaign=capped)
    assert (report.recipients, report.planned, report.blocked.total()) == (1, 1, 0)


def test_what_is_held_is_cut_into_no_shard(ledger: Ledger, template: Template) -> None:
    plan(ledger, template, [WASHINGTON, CHICAGO])

    (shard,) = cut_shards(ledger, 1, size=10, most=10)

    assert shard.first_id == shard.last_id == rows(ledger)["c"].id


def test_a_run_that_ends_with_somebody_held_has_not_accounted_for_them(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, [WASHINGTON])
    counted = campaigns.progress(ledger, CAMPAIGN.campaign_id)

    with pytest.raises(UnaccountedError, match="1 of 1 recipients"):
        check_accounted(counted)
    check_accounted(replace(counted, campaign_state="paused"))


def test_a_year_without_holidays_is_told(caplog: pytest.LogCaptureFixture) -> None:
    timekeeper_of(CAMPAIGN, INCLUDE, datetime(2027, 12, 1, tzinfo=UTC))
    assert caplog.text == ""

    timekeeper_of(CAMPAIGN, INCLUDE, datetime(2027, 12, 20, tzinfo=UTC))
    assert "no public holidays of FR 2028" in caplog.text


def test_a_campaign_file_presets_its_class() -> None:
    assert campaign_form(CAMPAIGN)["message_class"].value == "marketing"
    assert campaign_form()["message_class"].value == "informational"


def test_a_class_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CampaignDefinitionError, match="informational, marketing"):
        replace(CAMPAIGN, message_class="spam")
