"""What meets quiet hours is held, and let go, cancelled or expired: nobody is lost on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from genesys_cloud.ledger import audit, campaigns, erasure, holding
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import Plan
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.identity import identify
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, plant

TEXAS, FRANCE = "marketing|US|TX|America/Chicago", "marketing|FR||Europe/Paris"
HOUR = timedelta(hours=1)


def put(ledger: Ledger, place: str, rows: Iterable[int]) -> None:
    with ledger.write() as connection:
        mine = messages.c.row_number.in_(list(rows))
        connection.execute(update(messages).where(mine).values(place=place))


def states(ledger: Ledger) -> dict[str, int]:
    counted = campaigns.progress(ledger, CAMPAIGN.campaign_id).states
    return {state: count for state, count in counted.items() if count}


def entries(ledger: Ledger, action: str) -> list[audit.Row]:
    return [entry for entry in audit.read(ledger) if entry["action"] == action]


def named(ledger: Ledger, action: str) -> int:
    return sum(len(entry["details"]["message_keys"]) for entry in entries(ledger, action))


@pytest.fixture
def held(ledger: Ledger) -> Plan:
    """Nine recipients: three in Texas until 13 o'clock, three in France until 15, three nowhere."""
    plan = plant(ledger, 9)
    put(ledger, TEXAS, [1, 2, 3])
    put(ledger, FRANCE, [4, 5, 6])
    shut = {TEXAS: NOW + HOUR, FRANCE: NOW + 3 * HOUR}
    assert holding.hold(ledger, only_shard(ledger, plan), shut, NOW) == 6
    return plan


def test_only_the_places_that_are_shut_are_held(ledger: Ledger, held: Plan) -> None:
    assert states(ledger) == {"planned": 3, "held": 6}
    with ledger.read() as connection:
        rows = connection.execute(select(messages).order_by(messages.c.id)).all()
    assert [row.held_until for row in rows] == [NOW + HOUR] * 3 + [NOW + 3 * HOUR] * 3 + [None] * 3
    assert {row.reason_code for row in rows[:6]} == {"quiet_hours"}
    assert [entry["details"]["until"] for entry in entries(ledger, "send.held")] == [
        "2026-11-23T13:00:00.000Z",
        "2026-11-23T15:00:00.000Z",
    ]
    assert named(ledger, "send.held") == 6


def test_what_waits_is_counted_and_says_when_to_come_again(ledger: Ledger, held: Plan) -> None:
    waiting = holding.waiting(ledger, held.occurrence_id)

    assert (waiting.active, waiting.open, waiting.held) == (True, 3, 6)
    assert waiting.next_at == NOW + HOUR


def test_nothing_held_is_nothing_to_come_again_for(ledger: Ledger) -> None:
    plan = plant(ledger, 2)

    waiting = holding.waiting(ledger, plan.occurrence_id)

    assert (waiting.open, waiting.held, waiting.next_at) == (2, 0, None)
    assert holding.let_go(ledger, plan.occurrence_id, NOW) == {}
    assert entries(ledger, "send.released") == []


def test_each_window_lets_go_of_its_own(ledger: Ledger, held: Plan) -> None:
    just_before = NOW + HOUR - timedelta(microseconds=1)

    assert holding.let_go(ledger, held.occurrence_id, just_before) == {}
    assert holding.let_go(ledger, held.occurrence_id, NOW + HOUR) == {"planned": 3}
    assert holding.let_go(ledger, held.occurrence_id, NOW + HOUR) == {}
    assert holding.waiting(ledger, held.occurrence_id).next_at == NOW + 3 * HOUR
    assert holding.let_go(ledger, held.occurrence_id, NOW + 3 * HOUR) == {"planned": 3}
    assert states(ledger) == {"planned": 9}
    assert named(ledger, "send.released") == 6
    with ledger.read() as connection:
        left = connection.execute(select(messages.c.reason_code, messages.c.held_until)).all()
    assert set(left) == {(None, None)}
    assert audit.verify(ledger).ok


def test_any_number_is_let_go_a_transaction_at_a_time(
    ledger: Ledger, held: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "ROWS_PER_TRANSACTION", 4)

    assert holding.let_go(ledger, held.occurrence_id, NOW + 3 * HOUR) == {"planned": 6}
    assert len(entries(ledger, "send.released")) == 2


def test_past_the_deadline_all_that_is_held_expires_whenever_its_window_opens(
    ledger: Ledger,
) -> None:
    deadline = NOW + 2 * HOUR
    plan = plant(ledger, 4, campaign=replace(CAMPAIGN, deadline=deadline))
    put(ledger, TEXAS, [1])
    put(ledger, FRANCE, [2, 3])
    shut = {TEXAS: NOW + HOUR, FRANCE: NOW + 3 * HOUR}
    holding.hold(ledger, only_shard(ledger, plan), shut, NOW)

    assert holding.let_go(ledger, plan.occurrence_id, NOW + HOUR) == {"planned": 1}
    assert holding.waiting(ledger, plan.occurrence_id).next_at == deadline
    assert holding.let_go(ledger, plan.occurrence_id, deadline) == {"expired": 2}
    assert states(ledger) == {"planned": 2, "expired": 2}
    (entry,) = entries(ledger, "send.expired")
    assert (entry["previous_status"], entry["new_status"]) == ("held", "expired")


def test_a_paused_campaign_keeps_what_is_held(ledger: Ledger, held: Plan) -> None:
    steer(ledger, "paused")

    assert holding.let_go(ledger, held.occurrence_id, NOW + 9 * HOUR) == {}
    assert holding.waiting(ledger, held.occurrence_id).next_at is None

    steer(ledger, "active")
    assert holding.let_go(ledger, held.occurrence_id, NOW + 9 * HOUR) == {"planned": 6}


def test_cancelling_settles_what_is_held(ledger: Ledger, held: Plan) -> None:
    steer(ledger, "cancelled")

    assert states(ledger) == {"cancelled": 9}
    assert holding.let_go(ledger, held.occurrence_id, NOW + 9 * HOUR) == {}


def test_what_a_later_plan_holds_of_a_cancelled_campaign_is_cancelled(
    ledger: Ledger, held: Plan
) -> None:
    steer(ledger, "cancelled")
    with ledger.write() as connection:
        connection.execute(
            update(messages)
            .where(messages.c.row_number == 1)
            .values(state="held", held_until=NOW + HOUR)
        )

    assert holding.let_go(ledger, held.occurrence_id, NOW) == {"cancelled": 1}


def test_an_erased_person_is_let_go_to_nobody(ledger: Ledger, held: Plan) -> None:
    erasure.erase(
        ledger, identify("+12025550001"), certificate_id="c1", reason="asked", actor="tester",
        now=NOW,
    )  # fmt: skip

    with ledger.read() as connection:
        erased = connection.execute(select(messages).where(messages.c.erased_at.is_not(None))).one()
    assert (erased.state, erased.place) == ("cancelled", None)
    assert holding.let_go(ledger, held.occurrence_id, NOW + 9 * HOUR) == {"planned": 5}


def test_holding_again_changes_nothing_but_what_is_planned(ledger: Ledger, held: Plan) -> None:
    shut: dict[str, datetime] = {TEXAS: NOW + 9 * HOUR}

    assert holding.hold(ledger, only_shard(ledger, held), shut, NOW) == 0
    assert holding.waiting(ledger, held.occurrence_id).next_at == NOW + HOUR


def steer(ledger: Ledger, state: str) -> None:
    campaigns.change_state(
        ledger, CAMPAIGN.campaign_id, state, reason="a test", actor="tester", now=NOW
    )
