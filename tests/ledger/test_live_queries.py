"""What the pages of campaigns show: the right numbers, to who may see them, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from genesys_cloud.ledger import (
    audit,
    campaign_page,
    campaigns,
    events,
    overview,
    plans,
    sends,
    shortfall,
    tempo,
)
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Origin, Plan
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import StatusEvent
from tests.ledger.planted import CAMPAIGN, FAST, LEASE, NOW, attempted, only_shard, planned, sealed

NO_ROUTE = ("no_route", "No route to +1 202 555 0101.")
MINUTE = timedelta(minutes=1)
OPS = frozenset({"spring"})


def plan(
    ledger: Ledger,
    *,
    campaign_id: str = "camp_1",
    occurrence: str = "once",
    people: Sequence[str | None] = (None,) * 10,
    dag_id: str | None = None,
    is_test: bool = False,
    now: datetime = NOW,
    **fields: object,
) -> Plan:
    """Plan an occurrence of one person for each reason, None for one who is ready."""
    campaign = replace(CAMPAIGN, campaign_id=campaign_id, **fields)  # type: ignore[arg-type]
    begun = plans.begin(
        ledger, campaign, occurrence=occurrence, sender=CAMPAIGN.sender, template_version="v1",
        now=now, origin=Origin(dag_id=dag_id, run_id="r"), is_test=is_test,
    )  # fmt: skip
    name = f"{campaign_id} {occurrence}"
    rows = [planned(n, occurrence=name, blocked=why) for n, why in enumerate(people, 1)]
    plans.add(ledger, begun, rows)
    plans.finish(ledger, begun)
    return sealed(ledger, begun, campaign=campaign)


def send(ledger: Ledger, plan: Plan, states: Sequence[State], *, at: datetime = NOW) -> None:
    """Attempt as many messages, and have these answers."""
    attempted(ledger, plan, states, named="msg_", refusal=NO_ROUTE, at=at)


def status(ledger: Ledger, ids: Sequence[int], word: str, reason: str | None = None) -> None:
    told = [
        StatusEvent(
            event_id=f"{one}-{word}", message_id=f"msg_{one}", status=word, occurred_at=NOW,
            reason_code=reason,
        )
        for one in ids
    ]  # fmt: skip
    events.apply(ledger, told, NOW)


def test_a_funnel_narrows_from_the_list_to_those_who_read_it(ledger: Ledger) -> None:
    people = ["suppressed", "suppressed", "consent_missing", *[None] * 8]
    own = plan(ledger, people=people, dag_id="spring")
    send(ledger, own, [State.ACCEPTED] * 5 + [State.REJECTED])
    attempted(ledger, own, [State.UNKNOWN])
    for ids, word in [((4, 5, 6, 7), "sent"), ((5, 6, 7), "delivered"), ((6,), "read")]:
        status(ledger, ids, word)
    status(ledger, [8], "failed", "carrier")
    found = overview.campaign(ledger, "camp_1", now=NOW, dag_ids=None)
    assert found is not None
    funnel = found.funnel
    assert (funnel.recipients, funnel.ready, funnel.accepted) == (11, 8, 5)
    assert (funnel.sent, funnel.delivered, funnel.read, funnel.failed) == (4, 3, 1, 1)
    assert funnel.reasons == {
        "blocked": {"suppressed": 2, "consent_missing": 1},
        "rejected": {"no_route": 1},
        "unknown": {"unspecified": 1},
        "failed": {"carrier": 1},
    }
    assert (funnel.settled, funnel.left, funnel.done) == (7, 1, 7 / 8)
    assert (found.dag_ids, found.channels) == (("spring",), ("messaging:sms",))


def test_what_a_worker_has_in_hand_is_planned_and_in_flight(ledger: Ledger) -> None:
    own = plan(ledger)
    sends.claim(ledger, only_shard(ledger, own), FAST, most=4, now=NOW, lease=LEASE)
    found = overview.campaign(ledger, "camp_1", now=NOW, dag_ids=None)
    assert found is not None
    assert (found.funnel.states, found.in_flight) == ({"planned": 10}, 4)


@pytest.mark.parametrize("asks", [True, False])
def test_a_plan_that_nobody_has_approved_is_told_apart(ledger: Ledger, *, asks: bool) -> None:
    own = plan(ledger, messages_per_minute=5)
    sealed(ledger, own, asks=asks)
    found = overview.campaign(ledger, "camp_1", now=NOW, dag_ids=None)
    assert found is not None
    assert (found.state, found.approved) == ("active", not asks)
    assert found.seconds_left == (None if asks else 60 * 10 / 5)


def test_where_nobody_is_ready_nothing_is_done(ledger: Ledger) -> None:
    plan(ledger, people=[])
    found = overview.campaign(ledger, "camp_1", now=NOW, dag_ids=None)
    assert found is not None
    assert found.funnel.done is None


def test_tests_stand_apart(ledger: Ledger) -> None:
    plan(ledger)
    trial = plan(ledger, occurrence="test-1", people=[None] * 3, is_test=True)
    send(ledger, trial, [State.ACCEPTED] * 2)
    found = overview.campaign(ledger, "camp_1", now=NOW, dag_ids=None)
    assert found is not None
    assert (found.occurrences, found.test_occurrences) == (1, 1)
    assert (found.funnel.states, found.tests.states) == (
        {"planned": 10}, {"accepted": 2, "planned": 1},
    )  # fmt: skip
    assert found.per_minute == 0
    assert campaign_page.pace(ledger, "camp_1", dag_ids=None) == []


def test_a_pace_is_measured_and_says_how_long_it_takes(ledger: Ledger) -> None:
    own = plan(ledger, people=[None] * 20, messages_per_minute=5)
    for minutes in (0, 1):
        send(ledger, own, [State.ACCEPTED] * 4, at=NOW + minutes * MINUTE)
    found = overview.campaign(ledger, "camp_1", now=NOW + 2 * MINUTE, dag_ids=None)
    # 8 in the two minutes since it began; the 12 that are left take three more.
    assert found is not None
    assert (found.per_minute, found.seconds_left) == (4.0, 180.0)
    later = overview.campaign(ledger, "camp_1", now=NOW + 60 * MINUTE, dag_ids=None)
    # It sends no more: by its own limit of 5 a minute.
    assert later is not None
    assert (later.per_minute, later.seconds_left) == (0.0, 60 * 12 / 5)


def test_the_last_activity_is_the_last_send_however_long_ago(ledger: Ledger) -> None:
    own = plan(ledger)
    for minutes in (0, 40):
        send(ledger, own, [State.ACCEPTED] * 4, at=NOW + minutes * MINUTE)
    for minutes in (41, 120):
        found = overview.campaign(ledger, "camp_1", now=NOW + minutes * MINUTE, dag_ids=None)
        assert found is not None
        assert found.last_activity == NOW + 40 * MINUTE


@pytest.mark.parametrize(
    ("left", "measured", "allowed", "wait", "expected"),
    [
        (0, 10.0, 5.0, 0, None),
        (10, 0.0, None, 0, None),
        (10, 0.0, 5.0, 0, 120.0),
        (10, 0.0, 5.0, 30, 150.0),
        (10, 20.0, 5.0, -30, 30.0),
    ],
)
def test_time_left(
    left: int, measured: float, allowed: float | None, wait: int, expected: float | None
) -> None:
    not_before = NOW + timedelta(seconds=wait) if wait else None
    assert expected == tempo.seconds_left(
        left, measured, allowed=allowed, now=NOW, not_before=not_before
    )


def test_campaigns_come_a_page_at_a_time_the_latest_first(ledger: Ledger) -> None:
    for number in range(7):
        plan(ledger, campaign_id=f"camp_{number}", now=NOW + number // 2 * MINUTE)
    seen, before = list[str](), None
    while True:
        page = overview.campaigns(ledger, now=NOW, dag_ids=None, before=before, limit=2)
        seen += [one.campaign_id for one in page.campaigns]
        before = page.before
        if before is None:
            break
    assert seen == ["camp_6", "camp_4", "camp_5", "camp_2", "camp_3", "camp_0", "camp_1"]
    assert len(overview.campaigns(ledger, now=NOW, dag_ids=None, before="nonsense").campaigns) == 7


def test_a_search_takes_every_character_for_itself(ledger: Ledger) -> None:
    for name in ("spring_1", "springX1", "Winter"):
        plan(ledger, campaign_id=name)

    def found(search: str) -> list[str]:
        page = overview.campaigns(ledger, now=NOW, dag_ids=None, search=search)
        return sorted(one.campaign_id for one in page.campaigns)

    assert found("ING_") == ["spring_1"]
    assert found("winter") == ["Winter"]
    assert found("%") == []


def test_nobody_sees_what_other_dags_planned(ledger: Ledger) -> None:
    mine = plan(ledger, occurrence="mine", people=[None, "suppressed"], dag_id="spring")
    plan(ledger, occurrence="theirs", people=["secret"] * 3, dag_id="winter")
    plan(ledger, campaign_id="other", dag_id="winter")
    send(ledger, mine, [State.ACCEPTED])
    page = overview.campaigns(ledger, now=NOW, dag_ids=OPS)
    assert [(one.campaign_id, one.funnel.recipients) for one in page.campaigns] == [("camp_1", 2)]
    assert page.campaigns[0].dag_ids == ("spring",)
    rows = campaign_page.occurrences(ledger, "camp_1", dag_ids=OPS).occurrences
    assert [one.occurrence for one in rows] == ["mine"]
    reasons = shortfall.reasons(ledger, "camp_1", dag_ids=OPS)
    assert [(one.kind, one.reason_code, one.messages) for one in reasons] == [
        ("blocked", "suppressed", 1)
    ]
    assert not shortfall.page(ledger, "camp_1", "blocked", "secret", dag_ids=OPS).messages
    assert overview.campaign(ledger, "other", now=NOW, dag_ids=OPS) is None
    assert campaign_page.pace(ledger, "other", dag_ids=OPS) == []
    assert campaign_page.timeline(ledger, "other", dag_ids=OPS).entries == []


def test_an_occurrence_that_no_run_planned_is_that_of_send_campaign(ledger: Ledger) -> None:
    plan(ledger)
    found = overview.campaign(ledger, "camp_1", now=NOW, dag_ids=frozenset({"send_campaign"}))
    assert found is not None
    assert found.dag_ids == ("send_campaign",)
    assert overview.campaign(ledger, "camp_1", now=NOW, dag_ids=frozenset()) is None


def test_occurrences_come_a_page_at_a_time_with_their_counts(ledger: Ledger) -> None:
    for number in range(1, 6):
        plan(ledger, occurrence=f"day-{number}", people=[None] * number)
    first = campaign_page.occurrences(ledger, "camp_1", dag_ids=None, limit=3)
    rest = campaign_page.occurrences(ledger, "camp_1", dag_ids=None, limit=3, before=first.before)
    shown = [
        (one.occurrence, one.funnel.recipients) for one in (*first.occurrences, *rest.occurrences)
    ]
    assert shown == [(f"day-{number}", number) for number in (5, 4, 3, 2, 1)]
    assert rest.before is None


def test_a_chart_has_no_more_buckets_than_asked_and_loses_nothing(ledger: Ledger) -> None:
    own = plan(ledger, people=[None] * 12)
    for minutes in (0, 1, 5, 11):
        send(
            ledger, own, [State.ACCEPTED, State.REJECTED, State.UNKNOWN], at=NOW + minutes * MINUTE
        )
    by_minute = campaign_page.pace(ledger, "camp_1", dag_ids=None)
    assert [one.accepted for one in by_minute] == [1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    few = campaign_page.pace(ledger, "camp_1", dag_ids=None, most=3)
    assert [(one.start, one.width, one.accepted, one.rejected, one.unknown) for one in few] == [
        (NOW, 4 * MINUTE, 2, 2, 2),
        (NOW + 4 * MINUTE, 4 * MINUTE, 1, 1, 1),
        (NOW + 8 * MINUTE, 4 * MINUTE, 1, 1, 1),
    ]


def test_a_timeline_leaves_out_what_was_done_to_messages(ledger: Ledger) -> None:
    own = plan(ledger)
    send(ledger, own, [State.ACCEPTED])
    for state in ("paused", "active", "cancelled"):
        campaigns.change_state(
            ledger, "camp_1", state, reason=f"{state} it", actor="cli:ops", now=NOW
        )
    other = AuditEntry(at=NOW, actor="x", action="campaign.paused", campaign_id="other")
    audit.note(ledger, other)
    first = campaign_page.timeline(ledger, "camp_1", dag_ids=None, limit=2)
    rest = campaign_page.timeline(ledger, "camp_1", dag_ids=None, limit=2, before=first.before)
    told = [(one.action, one.actor) for one in (*first.entries, *rest.entries)]
    assert told == [
        ("campaign.cancelled", "cli:ops"), ("campaign.active", "cli:ops"),
        ("campaign.paused", "cli:ops"),
    ]  # fmt: skip
    assert first.entries[0].details["reason"] == "cancelled it"
    assert rest.before is None


def test_messages_of_a_reason_come_a_page_at_a_time_over_all_occurrences(ledger: Ledger) -> None:
    for name in ("one", "two"):
        plan(ledger, occurrence=name, people=["suppressed", None, "consent_missing"] * 3)
    seen, before = list[tuple[str, int]](), None
    while True:
        page = shortfall.page(
            ledger, "camp_1", "blocked", "suppressed", dag_ids=None, before=before, limit=2
        )
        seen += [(one.occurrence, one.row_number) for one in page.messages]
        before = page.before
        if before is None:
            break
    assert seen == [("two", 7), ("two", 4), ("two", 1), ("one", 7), ("one", 4), ("one", 1)]


def test_a_failed_message_is_masked_in_address_and_reason(ledger: Ledger) -> None:
    send(ledger, plan(ledger), [State.REJECTED])
    (one,) = shortfall.page(ledger, "camp_1", "rejected", "no_route", dag_ids=None).messages
    assert (one.masked_address, one.reason, one.at) == ("…01", "No route to …01.", NOW)


def test_what_failed_for_no_reason_is_found_by_looking_so_far_and_no_further(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(ledger, plan(ledger), [State.ACCEPTED] * 10)
    status(ledger, [2, 9], "failed")
    status(ledger, [5], "failed", "carrier")
    monkeypatch.setattr(shortfall, "MOST_READ", 4)
    seen, pages, before = list[int](), 0, None
    while True:
        page = shortfall.page(
            ledger, "camp_1", "failed", "unspecified", dag_ids=None, before=before
        )
        seen += [one.row_number for one in page.messages]
        before, pages = page.before, pages + 1
        if before is None:
            break
    assert (seen, pages) == ([9, 2], 3)
    (other,) = shortfall.page(ledger, "camp_1", "failed", "carrier", dag_ids=None).messages
    assert other.row_number == 5


def test_a_message_that_is_changed_leaves_its_reason(ledger: Ledger) -> None:
    plan(ledger, people=["suppressed"] * 2)
    with ledger.write() as connection:
        connection.execute(
            update(messages).where(messages.c.row_number == 1).values(reason_code=None)
        )
    found = shortfall.reasons(ledger, "camp_1", dag_ids=None)
    assert {(one.reason_code, one.messages) for one in found} == {
        ("suppressed", 1),
        ("unspecified", 1),
    }


def test_a_later_test_does_not_stand_for_the_campaign(ledger: Ledger) -> None:
    ends = NOW + timedelta(hours=3)
    plan(ledger, dag_id="spring", deadline=ends, messages_per_minute=5)
    plan(ledger, dag_id="send_test", occurrence="test-1", is_test=True)
    found = overview.campaign(ledger, "camp_1", now=NOW, dag_ids=None)
    assert found is not None
    assert (found.last_dag_id, found.deadline) == ("spring", ends)
    assert found.seconds_left == 60 * 10 / 5
