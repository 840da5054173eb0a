from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from genesys_cloud.errors import AudienceError, UnaccountedError
from genesys_cloud.ledger import audit, campaigns, sends
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.shards import Shard, cut_shards
from genesys_cloud.ledger.tables import messages, occurrences
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.filled_template import FilledTemplate
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence, rehearse
from genesys_cloud.workflows.summary import check_accounted, plan_table, progress_table

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CAMPAIGN = Campaign(
    campaign_id="orders",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
HEADER = "recipient_id,address,consent,language,name,orderId"
GOOD = [
    "r1,+12025550101,true,en,Alex,A-1",
    "r2,+12025550102,true,es,Ana,A-2",
    "r3,+12025550103,true,,Sam,A-3",
]


@pytest.fixture(scope="module")
def template() -> Template:
    library = TemplateLibrary(root=PROJECT_ROOT / "include" / "templates")
    return library.load("order_update", "messaging:sms")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def plan(
    ledger: Ledger, template: Template, lines: Sequence[str], *, occurrence: str = "once"
) -> PlanReport:
    stream = io.BytesIO("\n".join([HEADER, *lines]).encode("utf-8", "surrogateescape"))
    _, report = plan_occurrence(
        ledger, CAMPAIGN, template, read_csv(stream), occurrence=occurrence, now=NOW
    )
    return report


def rows(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(select(messages).order_by(messages.c.id)).all())


def states(ledger: Ledger) -> dict[str, int]:
    counted = campaigns.progress(ledger, CAMPAIGN.campaign_id).states
    return {state: count for state, count in counted.items() if count}


def test_every_row_is_planned_or_blocked_with_a_reason(ledger: Ledger, template: Template) -> None:
    report = plan(
        ledger, template,
        [*GOOD, "r4,+12025550104,false,en,Bo,A-4", "r5,+15559998765,true,en,Cy,A-5",
         "r6,+1 (202) 555-0101,true,en,Dup,A-6", "r7,+12025550107,true,en,,A-7"],
    )  # fmt: skip
    assert (report.recipients, report.planned) == (7, 3)
    assert dict(report.blocked) == {
        "consent_not_verified": 1, "number_invalid": 1, "duplicate_address": 1,
        "missing_variable": 1,
    }  # fmt: skip
    assert states(ledger) == {"planned": 3, "blocked": 4}
    texts = {row.recipient_id: row.text for row in rows(ledger)}
    assert texts["r1"] == "Hello Alex, your order A-1 is ready."
    assert texts["r2"].startswith("Hola Ana")
    assert texts["r7"] == ""


def test_planning_the_same_occurrence_again_adds_nobody(ledger: Ledger, template: Template) -> None:
    lines = [*GOOD, "r4,+12025550104,false,en,Bo,A-4", "r5,junk,true,en,Cy,A-5"]
    plan(ledger, template, lines)
    before = [(row.message_key, row.state) for row in rows(ledger)]
    plan(ledger, template, lines)
    assert sorted((row.message_key, row.state) for row in rows(ledger)) == sorted(before)


def test_another_occurrence_is_another_message(ledger: Ledger, template: Template) -> None:
    plan(ledger, template, GOOD)
    plan(ledger, template, GOOD, occurrence="again")
    assert states(ledger) == {"planned": 6}
    assert len({row.message_key for row in rows(ledger)}) == 6


def test_a_person_under_another_recipient_id_is_still_one_person(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, GOOD)
    plan(ledger, template, ["other,+1-202-555-0101,true,en,Alex,A-1"])
    assert states(ledger) == {"planned": 3}


def test_consent_that_came_later_plans_the_blocked_and_one_withdrawn_blocks_the_planned(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, ["r1,+12025550101,true,en,Alex,A-1", "r2,+12025550102,,en,Ana,A-2"])
    plan(ledger, template, ["r1,+12025550101,false,en,Alex,A-1", "r2,+12025550102,true,en,Ana,A-2"])
    by_id = {row.recipient_id: row for row in rows(ledger)}
    assert (by_id["r1"].state, by_id["r1"].reason_code) == ("blocked", "consent_not_verified")
    assert (by_id["r2"].state, by_id["r2"].reason_code) == ("planned", None)
    assert by_id["r2"].text == "Hello Ana, your order A-2 is ready."


def test_a_corrected_text_reaches_who_was_not_sent_to_and_nobody_else(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, GOOD)
    shard = cut_shards(ledger, rows(ledger)[0].occurrence_id, size=100, most=10)[0]
    limits = [Limit(name="account", most=60_000)]
    lease = timedelta(seconds=90)
    claimed = sends.claim(ledger, shard, limits, most=1, now=NOW, lease=lease).claims[0]
    plan(ledger, template, [line.replace("A-", "B-") for line in GOOD])
    for row in rows(ledger):
        mine = row.id == claimed.id
        assert ("A-" in row.text) == mine
        assert row.state == ("claimed" if mine else "planned")


def test_a_bad_row_that_was_mended_is_no_longer_counted(ledger: Ledger, template: Template) -> None:
    plan(ledger, template, ["r1,junk,true,en,Alex,A-1", GOOD[1]])
    assert states(ledger) == {"planned": 1, "blocked": 1}
    plan(ledger, template, GOOD[:2])
    assert states(ledger) == {"planned": 2}


def test_a_second_list_under_the_same_campaign_keeps_what_the_first_one_left(
    ledger: Ledger, template: Template
) -> None:
    plan(ledger, template, ["r1,junk,true,en,Alex,A-1", GOOD[0]])
    stream = io.BytesIO("\n".join([HEADER, GOOD[1]]).encode())
    second = replace(CAMPAIGN, audience="more.csv")
    plan_occurrence(ledger, second, template, read_csv(stream), occurrence="once", now=NOW)
    assert states(ledger) == {"planned": 2, "blocked": 1}


def test_hostile_rows_are_kept_in_a_form_that_every_database_takes(
    ledger: Ledger, template: Template
) -> None:
    lines = ["r1,+1202\0,true,en,A,B", "r\udcff2,+12025550102,true,en,A,B",
             f"r3,{'9' * 5000},true,en,A,B", f"{'i' * 500},+12025550103,true,en,A,B"]  # fmt: skip
    report = plan(ledger, template, lines)
    assert report.blocked.total() == len(rows(ledger)) == 4


def test_a_rehearsal_says_the_same_and_keeps_nothing(template: Template, ledger: Ledger) -> None:
    lines = [*GOOD, "r4,+12025550104,false,en,Bo,A-4"]
    stream = io.BytesIO("\n".join([HEADER, *lines]).encode())
    rehearsed = rehearse(CAMPAIGN, template, read_csv(stream), occurrence="once")
    assert rows(ledger) == []
    assert rehearsed == plan(ledger, template, lines)


def test_a_list_that_breaks_off_unreadably_leaves_nothing_to_send(
    ledger: Ledger, template: Template
) -> None:
    with pytest.raises(AudienceError):
        plan(ledger, template, [*GOOD, 'r4,"+12025550104'])
    assert "planned" not in states(ledger)


def test_the_plan_is_in_the_audit_trail(ledger: Ledger, template: Template) -> None:
    no = ["r4,+12025550104,false,en,Bo,A-4", "r5,junk,true,en,Cy,A-5"]
    plan(ledger, template, [*GOOD, *no])
    *decisions, planned = audit.read(ledger, campaign_id="orders")
    assert [
        (one["action"], one["details"]["reason"], len(one["details"]["message_keys"]))
        for one in decisions
    ] == [
        ("plan.consented", "consent_in_audience", 3),
        ("plan.blocked", "consent_not_verified", 1),
        ("plan.blocked", "address_not_e164", 1),
    ]
    assert planned["action"] == "campaign.planned"
    counts = [planned["details"][name] for name in ("recipients", "planned", "blocked")]
    assert counts == [5, 3, 2]
    assert {one["actor"] for one in decisions} == {"plan task"}
    assert "2025550" not in str([*decisions, planned])
    assert audit.verify(ledger).ok


def test_every_recipient_has_a_decision_in_the_trail(ledger: Ledger, template: Template) -> None:
    lines = [f"r{n},+1202555{n:04},{n % 3 > 0},en,Sam,A-{n}".lower() for n in range(2_300)]
    plan(ledger, template, lines)
    decided = [
        (key, row["action"])
        for row in audit.read(ledger)
        for key in row["details"].get("message_keys", ())
    ]
    with ledger.read() as connection:
        rows = connection.execute(select(messages.c.message_key, messages.c.state)).all()
    words = {"planned": "plan.consented", "blocked": "plan.blocked"}
    assert sorted(decided) == sorted((row.message_key, words[row.state]) for row in rows)


def test_rows_that_a_later_plan_drops_are_named(ledger: Ledger, template: Template) -> None:
    plan(ledger, template, [*GOOD, "r5,junk,true,en,Cy,A-5"])
    with ledger.read() as connection:
        junk = messages.c.address_key.is_(None)
        (key,) = connection.execute(select(messages.c.message_key).where(junk)).scalars()
    plan(ledger, template, GOOD)
    (dropped,) = [row for row in audit.read(ledger) if row["action"] == "plan.dropped"]
    assert dropped["details"] == {"occurrence": "once", "plan": 2, "message_keys": [key]}


def test_the_tables_show_counts_and_no_address(ledger: Ledger, template: Template) -> None:
    report = plan(ledger, template, [*GOOD, "r4,+15559998765,true,en,Bo,A-4"])
    counted = campaigns.progress(ledger, CAMPAIGN.campaign_id)
    text = plan_table(report) + progress_table(counted)
    assert "row 4" in text
    assert "number_invalid" in text
    assert "5559998" not in text
    with pytest.raises(UnaccountedError, match="3 of 4 recipients"):
        check_accounted(counted)
    # What a worker has claimed is still planned, and what it attempts is unknown so far.
    sending = replace(counted, states={**counted.states, "planned": 1, "unknown": 2}, attempting=2)
    with pytest.raises(UnaccountedError, match=r"3 of 4 recipients.* 1 were not sent and 2 are"):
        check_accounted(sending)


APPROVED = """\
response_id = "5e6f2f0a-3c1d-4b6a-9d52-0c7a1f4e8b21"
[body]
1 = "{{ name }}"
2 = "{{ orderId }}"
"""


@pytest.fixture
def approved(tmp_path: Path) -> Template:
    """An approved template of WhatsApp, for the profile agentless."""
    folder = tmp_path / "templates" / "order_update"
    folder.mkdir(parents=True)
    (folder / "en.whatsapp.toml").write_text(APPROVED)
    library = TemplateLibrary(root=folder.parent)
    return library.load("order_update", "messaging:whatsapp", "agentless")


def plan_whatsapp(
    ledger: Ledger, template: Template, lines: Sequence[str], profile: str, audience: str = "a.csv"
) -> PlanReport:
    sender = "+12025550100" if profile == "messaging" else "0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11"
    campaign = replace(CAMPAIGN, channel="messaging:whatsapp", sender=sender, audience=audience)
    stream = io.BytesIO("\n".join([HEADER, *lines]).encode())
    _, report = plan_occurrence(
        ledger, campaign, template, read_csv(stream), occurrence="once", now=NOW, profile=profile
    )
    return report


def occurrence(ledger: Ledger) -> Any:
    with ledger.read() as connection:
        return connection.execute(select(occurrences)).one()


def claim(ledger: Ledger, shard: Shard, most: int = 10) -> sends.Batch:
    limits, lease = [Limit(name="account", most=60_000)], timedelta(seconds=90)
    return sends.claim(ledger, shard, limits, most=most, now=NOW, lease=lease)


def test_a_plan_for_the_platform_keeps_filled_templates_and_says_its_profile(
    ledger: Ledger, approved: Template
) -> None:
    lines = [GOOD[0], "r2,+12025550102,true,en,,A-2", f"r3,+12025550103,true,en,{'x' * 1025},A"]
    report = plan_whatsapp(ledger, approved, lines, "agentless")
    assert dict(report.blocked) == {"missing_variable": 1, "parameter_too_long": 1}
    first = rows(ledger)[0]
    assert first.address == "whatsapp:+12025550101"
    assert FilledTemplate.parse(first.text).body == {"1": "Alex", "2": "A-1"}
    found = occurrence(ledger)
    assert (found.profile, found.sender) == ("agentless", "0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11")
    (shard,) = cut_shards(ledger, found.id, size=10, most=10)
    assert shard.profile == "agentless"
    (planned,) = [row for row in audit.read(ledger) if row["action"] == "campaign.planned"]
    assert planned["details"]["profile"] == "agentless"
    assert f"{'profile':<36} agentless\n" in plan_table(report)
    assert "agentless (assumed: Genesys Cloud was not asked)" in plan_table(report, assumed=True)


def test_a_rehearsal_for_the_platform_says_the_same(approved: Template, ledger: Ledger) -> None:
    lines = [GOOD[0], "r2,+12025550102,true,en,,A-2"]
    sender = "0d1a9b1e-5a0f-4f3e-9b1c-2f4c1f6b7a11"
    campaign = replace(CAMPAIGN, channel="messaging:whatsapp", sender=sender)
    stream = io.BytesIO("\n".join([HEADER, *lines]).encode())
    report = rehearse(campaign, approved, read_csv(stream), occurrence="once", profile="agentless")
    assert report == plan_whatsapp(ledger, approved, lines, "agentless")


def test_what_only_an_earlier_plan_for_another_profile_had_never_goes_out(
    ledger: Ledger, approved: Template, template: Template
) -> None:
    plan_whatsapp(ledger, approved, GOOD[:2], "agentless")
    plan_whatsapp(ledger, template, GOOD[:1], "messaging", audience="b.csv")
    left = {row.recipient_id: (row.state, row.reason_code, row.text[:5]) for row in rows(ledger)}
    # Sent as a text, r2 would have got JSON.
    assert left["r1"] == ("planned", None, "Hello")
    assert left["r2"][:2] == ("blocked", "planned_for_other_profile")
    blocked = [row["details"] for row in audit.read(ledger) if row["action"] == "plan.blocked"]
    assert [(one["reason"], len(one["message_keys"])) for one in blocked] == [
        ("planned_for_other_profile", 2)
    ]
    plan_whatsapp(ledger, approved, GOOD[:2], "agentless")
    assert states(ledger) == {"planned": 2}


def test_a_worker_of_the_earlier_plan_claims_nothing_of_the_later(
    ledger: Ledger, approved: Template, template: Template
) -> None:
    plan_whatsapp(ledger, approved, GOOD[:2], "agentless")
    (shard,) = cut_shards(ledger, occurrence(ledger).id, size=10, most=10)
    gone = claim(ledger, shard, most=1).claims[0]
    plan_whatsapp(ledger, template, GOOD, "messaging")
    late = claim(ledger, shard)
    assert (late.claims, late.active) == ((), False)
    (anew,) = cut_shards(ledger, occurrence(ledger).id, size=10, most=10)
    claims = claim(ledger, anew).claims
    assert {one.message.text[:4] for one in claims} == {"Hell", "Hola"}
    assert gone.id not in {one.id for one in claims}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["+12025550101", "+1 202 555 0101", "+12025550102", "junk", ""]),
            st.sampled_from(["true", "false", ""]),
            st.sampled_from(["Alex", ""]),
        ),
        max_size=8,
    ),
    st.integers(1, 3),
)
def test_recipients_always_equal_rows_however_often_they_are_planned(
    tmp_path_factory: pytest.TempPathFactory,
    template: Template,
    cells: list[tuple[str, str, str]],
    times: int,
) -> None:
    folder: Path = tmp_path_factory.mktemp("ledger")
    ledger = open_ledger(f"sqlite:///{folder}/ledger.db")
    lines = [f"r{n},{address},{consent},en,{name},A" for n, (address, consent, name) in
             enumerate(cells)]  # fmt: skip
    for _ in range(times):
        report = plan(ledger, template, lines)
        counted = campaigns.progress(ledger, CAMPAIGN.campaign_id)
        assert counted.recipients == report.recipients == len(cells)
        assert sum(counted.states.values()) == counted.recipients
        assert counted.blocked_reasons == dict(report.blocked)
    ledger.close()


def test_what_was_typed_is_kept_of_blocked_rows_alone_and_not_for_long(
    ledger: Ledger, template: Template
) -> None:
    typed = "+1 (202) 555-0101"
    plan(
        ledger, template,
        [f"r1,{typed},true,en,Alex,A-1", f"r2,{'(0)' + '7' * 500},true,en,Bo,A-2",
         "r3,+1 (555) 000-1234,true,en,Cy,A-3", f",{typed[:-1]}2,true,en,Dee,A-4"],
    )  # fmt: skip
    kept = rows(ledger)
    planned = [str(tuple(row)) for row in kept if row.state == "planned"]
    assert len(planned) == 2
    assert not [row for row in planned if "(202)" in row or "555-" in row]
    assert [row.address for row in kept if row.state == "blocked"] == [
        "(0)" + "7" * 197, "+1 (555) 000-1234",
    ]  # fmt: skip


def test_a_name_that_a_spreadsheet_would_execute_is_text_like_any_other(
    ledger: Ledger, template: Template
) -> None:
    names = ["=cmd()", "@SUM(A1)", "עדי", "e\u0301", "👨\u200d👩\u200d👧"]
    lines = [f"r{n},+1202555010{n},true,en,{name},A" for n, name in enumerate(names)]
    assert plan(ledger, template, lines).planned == len(names)
    assert [row.text for row in rows(ledger)] == [
        f"Hello {name}, your order A is ready." for name in names
    ]
