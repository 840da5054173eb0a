"""Consent, caps and the hold-out group of a campaign, from the list to what the simulator got."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit, consents, sends
from genesys_cloud.ledger.consents import Consent
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.shards import cut_shards
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.audience import read_csv
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.consent import ConsentState
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.outbound.templates import Template, TemplateLibrary
from genesys_cloud.settings import PROJECT_ROOT
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence, rehearse
from genesys_cloud.workflows.summary import plan_table
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Sender

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CAMPAIGN = Campaign(
    campaign_id="offers",
    audience="people.csv",
    template="order_update",
    channel="messaging:sms",
    sender="+12025550100",
)
HEADER = "address,consent,name,orderId"
FAST = [Limit(name="account", most=6_000_000)]
LEASE = timedelta(seconds=90)


@pytest.fixture(scope="module")
def template() -> Template:
    library = TemplateLibrary(root=PROJECT_ROOT / "include" / "templates")
    return library.load("order_update", CAMPAIGN.channel)


@pytest.fixture
def ledger(ledger_url: str) -> Any:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def number(each: int) -> str:
    return f"+1202555{each:04d}"


def listed(count: int, *, consent: str = "true") -> list[str]:
    return [f"{number(each)},{consent},Alex,A-{each}" for each in range(1, count + 1)]


def planned(
    ledger: Ledger, template: Template, rows: Sequence[str], *, header: str = HEADER,
    now: datetime = NOW, **rules: Any,
) -> tuple[Plan, PlanReport]:  # fmt: skip
    stream = io.BytesIO("\n".join([header, *rows]).encode())
    campaign = replace(CAMPAIGN, **rules)
    return plan_occurrence(ledger, campaign, template, read_csv(stream), occurrence="once", now=now)


def give(ledger: Ledger, *numbers: int, state: str = "given", **more: Any) -> None:
    decided = [
        Consent(channel=CAMPAIGN.channel, address=number(each), state=ConsentState(state),
                source="test", **{"decided_at": NOW, **more})
        for each in numbers
    ]  # fmt: skip
    consents.record(ledger, decided, actor="tester", now=NOW)


def rows_of(ledger: Ledger) -> dict[int, Any]:
    with ledger.read() as connection:
        return {row.row_number: row for row in connection.execute(select(messages))}


def begun(ledger: Ledger, plan: Plan, *, now: datetime = NOW) -> list[str]:
    """Attempt everything that is planned, and return to whom."""
    found = []
    for shard in cut_shards(ledger, plan.occurrence_id, size=1_000, most=10):
        batch = sends.claim(ledger, shard, FAST, most=64, now=now, lease=LEASE)
        batch = sends.begin_attempt(ledger, batch, now=now, lease=LEASE)
        found += [one.message.recipient for one in batch.claims]
    return found


def test_the_ledger_s_consent_counts_whatever_the_column_says(
    ledger: Ledger, template: Template
) -> None:
    give(ledger, 1, 2, purpose="offers")
    give(ledger, 2, state="withdrawn", decided_at=NOW + timedelta(seconds=1))
    plan, report = planned(
        ledger, template, listed(3, consent="no"), consent_from="ledger", purpose="Offers"
    )
    assert report.blocked == {"consent_withdrawn": 1, "consent_not_on_record": 1}
    assert begun(ledger, plan) == [number(1)]


def test_both_are_asked_where_a_campaign_says_so(ledger: Ledger, template: Template) -> None:
    give(ledger, 1, 4)
    rows = [*listed(3), f"{number(4)},no,Alex,A-4"]
    plan, report = planned(ledger, template, rows, consent_from="both")
    assert report.blocked == {"consent_not_verified": 1, "consent_not_on_record": 2}
    assert begun(ledger, plan) == [number(1)]


def test_what_the_row_says_is_kept_as_proof_and_its_end_holds_at_the_send(
    ledger: Ledger, template: Template
) -> None:
    header = (
        f"{HEADER},consent_at,consent_source,consent_wording,consent_purpose,consent_expires_at"
    )
    plan, report = planned(
        ledger,
        template,
        [
            f"{number(1)},true,Alex,A-1,2026-01-02,web form,v3,,2026-11-23T13:00:00Z",
            f"{number(2)},true,Alex,A-2,,,,,",
            f"{number(3)},true,Alex,A-3,2027-01-01,,,,",
            f"{number(4)},true,Alex,A-4,,,,care,",
            f"{number(5)},true,Alex,A-5,,,,,2026-11-23T12:00:00Z",
        ],
        header=header,
        purpose="offers",
    )
    assert report.blocked == {
        "consent_time_invalid": 1, "consent_other_purpose": 1, "consent_expired": 1,
    }  # fmt: skip
    first = rows_of(ledger)[1]
    assert json.loads(first.consent_proof) == {
        "at": "2026-01-02", "source": "web form", "wording": "v3",
        "expires_at": "2026-11-23T13:00:00Z",
    }  # fmt: skip
    assert rows_of(ledger)[2].consent_proof is None
    assert begun(ledger, plan, now=NOW + timedelta(hours=1)) == [number(2)]
    assert rows_of(ledger)[1].reason_code == "consent_expired"


def test_a_consent_that_ends_in_mid_campaign_stops_the_rest(
    simulator: SimulatorProcess, sender: Sender, template: Template
) -> None:
    now = sender.hurried.now()
    ends = now + timedelta(minutes=30)
    give(sender.ledger, *range(1, 41), decided_at=now - timedelta(days=1))
    for each in range(41, 61):
        give(sender.ledger, each, decided_at=now - timedelta(days=1), expires_at=ends)
    plan, report = planned(
        sender.ledger, template, listed(60), now=now, consent_from="ledger", purpose="offers"
    )
    assert report.planned == 60
    sender.hurried.sleep(timedelta(minutes=31).total_seconds())
    for shard in cut_shards(sender.ledger, plan.occurrence_id, size=1_000, most=10):
        sender.send(shard)
    posted = {message["to"] for message in simulator.messages()}
    assert posted == {number(each) for each in range(1, 41)}
    assert {row.reason_code for row in rows_of(sender.ledger).values()} == {None, "consent_expired"}


def test_a_dry_run_and_the_plan_hold_out_the_same_people(
    ledger: Ledger, template: Template
) -> None:
    campaign = replace(CAMPAIGN, hold_out_share=0.25)
    stream = io.BytesIO("\n".join([HEADER, *listed(400), "junk,true,Bo,A-0"]).encode())
    rehearsed = rehearse(campaign, template, read_csv(stream), occurrence="once", now=NOW)
    plan, report = planned(ledger, template, [*listed(400), "junk,true,Bo,A-0"],
                           hold_out_share=0.25)  # fmt: skip
    assert rehearsed.blocked == report.blocked
    # 100 expected, four standard deviations; who can't be reached is in no group.
    assert 65 < report.blocked["held_out"] < 135
    assert report.blocked["address_not_e164"] == 1
    assert "held_out" in plan_table(report)
    again = planned(ledger, template, listed(400), hold_out_share=0.25)[1]
    assert again.blocked["held_out"] == report.blocked["held_out"]
    held = {row for row, one in rows_of(ledger).items() if one.reason_code == "held_out"}
    assert not {number(row) for row in held} & set(begun(ledger, plan))


def test_a_campaign_s_cap_is_filled_up_with_those_who_may_get_it(
    ledger: Ledger, template: Template
) -> None:
    give(ledger, 2, 3, state="withdrawn")
    plan, report = planned(ledger, template, listed(8), most_messages=3)
    assert (report.planned, report.blocked) == (3, {"consent_withdrawn": 2, "campaign_cap": 3})
    assert begun(ledger, plan) == [number(1), number(4), number(5)]
    _, again = planned(ledger, template, listed(8), most_messages=3)
    assert again.blocked["campaign_cap"] >= 3
    assert begun(ledger, plan) == []


def test_without_the_cap_the_next_plan_lets_the_others_go(
    ledger: Ledger, template: Template
) -> None:
    plan, _ = planned(ledger, template, listed(3), most_messages=1)
    assert begun(ledger, plan) == [number(1)]
    planned(ledger, template, listed(3))
    assert begun(ledger, plan) == [number(2), number(3)]


def test_a_second_campaign_spares_whom_the_first_has_reached(
    ledger: Ledger, template: Template
) -> None:
    first, _ = planned(ledger, template, listed(3))
    assert len(begun(ledger, first)) == 3
    second, report = planned(
        ledger, template, listed(5), campaign_id="more", recipient_cap=1, recipient_cap_days=2
    )
    assert report.blocked == {"capped": 3}
    assert begun(ledger, second) == [number(4), number(5)]
    assert "within 2 days" in rows_of(ledger)[1].reason
    # Two days later they may be written to again.
    planned(
        ledger, template, listed(5), campaign_id="more", recipient_cap=1, recipient_cap_days=2,
        now=NOW + timedelta(days=2),
    )  # fmt: skip
    assert len(begun(ledger, second, now=NOW + timedelta(days=2))) == 3


def test_campaigns_that_race_for_the_last_place_never_both_take_it(
    ledger: Ledger, template: Template
) -> None:
    """Four at once, each in its own thread and connection, over and over."""
    rules = {"recipient_cap": 2, "recipient_cap_days": 7}
    runs = [planned(ledger, template, listed(8), campaign_id=f"c{one}", **rules)[0]
            for one in range(12)]  # fmt: skip
    barrier = threading.Barrier(4)

    def run(plan: Plan) -> list[str]:
        (shard,) = cut_shards(ledger, plan.occurrence_id, size=1_000, most=10)
        batch = sends.claim(ledger, shard, FAST, most=64, now=NOW, lease=LEASE)
        barrier.wait(timeout=60)
        batch = sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE)
        return [one.message.recipient for one in batch.claims]

    with ThreadPoolExecutor(4) as pool:
        reached = [address for found in pool.map(run, runs) for address in found]
    assert sorted(reached) == sorted(2 * [number(each) for each in range(1, 9)])
    assert audit.verify(ledger).ok


def test_a_withdrawal_that_is_on_record_first_always_holds(
    ledger: Ledger, template: Template
) -> None:
    """A withdrawal and an attempt at the same instant: the trail tells which came first."""
    plan, _ = planned(ledger, template, listed(12))
    (shard,) = cut_shards(ledger, plan.occurrence_id, size=1_000, most=10)
    keys = {row.address: row.message_key for row in rows_of(ledger).values()}
    attempted: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        for each in range(1, 13):
            batch = sends.claim(ledger, shard, FAST, most=1, now=NOW, lease=LEASE)
            barrier = threading.Barrier(2)

            def withdraw(each: int = each, barrier: threading.Barrier = barrier) -> None:
                barrier.wait(timeout=60)
                give(ledger, each, state="withdrawn")

            said = pool.submit(withdraw)
            barrier.wait(timeout=60)
            batch = sends.begin_attempt(ledger, batch, now=NOW, lease=LEASE)
            said.result()
            attempted += [keys[one.message.recipient] for one in batch.claims]
    order = [
        (one["action"], key)
        for one in audit.read(ledger)
        if one["action"] in {"consent.withdrawn", "send.attempting"}
        for key in (one["details"].get("message_keys") or [one["message_key"]])
    ]
    # The entries of one round stand together: an attempt, if there was one, came first.
    rounds = "".join("a" if action == "send.attempting" else "w" for action, _ in order)
    assert rounds.replace("aw", "w") == 12 * "w"
    assert len(attempted) == rounds.count("a")


def test_the_trail_says_where_the_consent_was_asked(ledger: Ledger, template: Template) -> None:
    give(ledger, 1)
    planned(ledger, template, listed(2), consent_from="ledger")
    found = [
        (one["action"], one["details"]["reason"], len(one["details"]["message_keys"]))
        for one in audit.read(ledger)
        if one["action"] in {"plan.consented", "plan.blocked"}
    ]
    assert found == [
        ("plan.consented", "consent_asked_of_ledger", 2),
        ("plan.blocked", "consent_not_on_record", 1),
    ]


def test_the_blocked_keep_no_lease_and_count_as_settled(ledger: Ledger, template: Template) -> None:
    plan, _ = planned(ledger, template, listed(2))
    give(ledger, 1, state="withdrawn", decided_at=NOW + timedelta(seconds=1))
    assert begun(ledger, plan) == [number(2)]
    row = rows_of(ledger)[1]
    assert (row.state, row.lease_until, row.settled_at) == (State.BLOCKED, None, NOW)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"purpose": "two words"}, "one word"),
        ({"consent_from": "nowhere"}, "audience, ledger, both"),
        ({"recipient_cap": 0}, "at least 1"),
        ({"recipient_cap_days": 0}, "at least 1"),
        ({"recipient_cap_days": 367}, "at most 366"),
        ({"most_messages": 0}, "at least 1"),
        ({"hold_out_share": -0.1}, "between 0 and 1"),
        ({"hold_out_share": 1.1}, "between 0 and 1"),
        ({"hold_out_share": float("nan")}, "between 0 and 1"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CampaignDefinitionError, match=sentence):
        replace(CAMPAIGN, **rules)
