"""Lost statuses are learnt from what the simulator lists, and from nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import PagingError
from genesys_cloud.ledger import audit, events, lost_statuses
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.events import Effect
from genesys_cloud.ledger.lost_statuses import Awaited
from genesys_cloud.ledger.tables import messages, status_events
from genesys_cloud.outbound.asking import EVENTS_LOST
from genesys_cloud.outbound.deliveries import DeliveryPage
from genesys_cloud.outbound.status import Status, StatusEvent
from genesys_cloud.workflows.asking import LONGEST_WINDOW, Asked, Bounds, ask, windows
from genesys_cloud.workflows.reconciling import AFTER, BEFORE
from tests.ledger.planted import CAMPAIGN
from tests.simulator.server import SimulatorProcess
from tests.workflows.awaiting import SENT, accepted, changes, delivery, rows, statuses

HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def entity(message_id: str, status: str, *, at: datetime = SENT, **more: Any) -> dict[str, Any]:
    """Return a message as the API lists it."""
    return {
        "id": message_id,
        "channelType": "messaging:sms",
        "status": status,
        "createdDate": at.isoformat(),
        **more,
    }


def test_what_the_api_knows_better_moves_the_message_and_is_audited(
    ledger: Ledger, simulator: SimulatorProcess, client: GenesysClient
) -> None:
    one, two, three, four = accepted(ledger, 4)
    failed_at = SENT + timedelta(seconds=9)
    simulator.load([
        entity(one, "delivered", deliveredDate=(SENT + timedelta(seconds=5)).isoformat()),
        entity(two, "failed", failedDate=failed_at.isoformat(), errorCode="InvalidDestination"),
        entity(three, "queued"),
        entity("somebody-elses", "delivered"),
    ])  # fmt: skip
    now = SENT + HOUR
    assert ask(ledger, client, now=now) == Asked(moved=2, still_open=1, not_listed=1)
    assert statuses(ledger) == ["delivered", "failed", "queued", "queued"]
    found = rows(ledger)
    assert [row.status_at for row in found[:2]] == [SENT + timedelta(seconds=5), failed_at]
    assert (found[1].state, found[1].reason_code) == ("accepted", "InvalidDestination")
    assert [row.ask_at for row in found] == [None, None, now + HOUR, now + HOUR]
    assert four == found[3].api_message_id

    first, second = changes(ledger)
    assert [first["actor"], first["message_key"], first["api_message_id"], first["event_id"]] == [
        "reconcile_sends", found[0].message_key, one, None,
    ]  # fmt: skip
    assert (first["previous_status"], first["new_status"]) == ("queued", "delivered")
    assert first["details"] == {"how": "the API lists it"}
    assert second["details"] == {"how": "the API lists it", "reason": "InvalidDestination"}
    assert audit.verify(ledger).ok
    with ledger.read() as connection:
        assert connection.execute(select(status_events)).all() == []


def test_nobody_asks_before_the_time_or_after_the_last_day(
    ledger: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    ids = accepted(ledger, 2)
    simulator.load([entity(id_, "delivered") for id_ in ids])
    moment = timedelta(milliseconds=1)
    assert ask(ledger, client, now=SENT + EVENTS_LOST.first - moment) == Asked()
    assert ask(ledger, client, now=SENT + EVENTS_LOST.oldest + moment) == Asked()
    assert simulator.requests()["requests"] == []
    minutes = timedelta(minutes=10)
    assert (
        ask(ledger, client, now=SENT + minutes, schedule=EVENTS_LOST.starting_at(minutes)).moved
        == 2
    )
    assert ask(ledger, client, now=SENT + EVENTS_LOST.oldest) == Asked()


def test_a_message_is_asked_about_again_at_growing_distances(
    ledger: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    (one,) = accepted(ledger, 1)
    simulator.load([entity(one, "sent", sentDate=SENT.isoformat())])
    asked = []
    for quarter in range(7 * 24 * 4 + 8):
        done = ask(ledger, client, now=SENT + quarter * timedelta(minutes=15))
        if done != Asked():
            asked.append((quarter / 4, done.moved))
    ages = [1, 2, 4, 8, 16, 32, 56, 80, 104, 128, 152]
    assert asked == [(age, age == 1) for age in ages]
    assert len(changes(ledger)) == 1


def test_another_campaign_is_left_alone(
    ledger: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    accepted(ledger, 1)
    now = SENT + HOUR
    assert ask(ledger, client, now=now, campaign_id="another") == Asked()
    assert ask(ledger, client, now=now, campaign_id=CAMPAIGN.campaign_id) == Asked(not_listed=1)


def test_a_message_never_moves_backward(
    ledger: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    one, two = accepted(ledger, 2)
    events.apply(ledger, [event("e1", one, "sent"), event("e2", two, "sent")], SENT)
    simulator.load([entity(one, "queued"), entity(two, "sent")])
    assert ask(ledger, client, now=SENT + 2 * HOUR) == Asked(still_open=2)
    assert statuses(ledger) == ["sent", "sent"]
    assert {entry["actor"] for entry in changes(ledger)} == {"webhook"}


def event(event_id: str, message_id: str, status: str) -> StatusEvent:
    return StatusEvent(
        event_id=event_id, message_id=message_id, status=status,
        occurred_at=SENT + timedelta(minutes=1),
    )  # fmt: skip


def test_the_event_that_comes_after_all_counts_and_changes_nothing(
    ledger: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    (one,) = accepted(ledger, 1)
    simulator.load([entity(one, "delivered")])
    ask(ledger, client, now=SENT + HOUR)
    late = [event("e1", one, "sent"), event("e2", one, "delivered"), event("e3", one, "read")]
    assert events.apply(ledger, late, SENT + 2 * HOUR) == [
        Effect.STALE, Effect.STALE, Effect.APPLIED,
    ]  # fmt: skip
    assert events.apply(ledger, late, SENT + 2 * HOUR) == [Effect.DUPLICATE] * 3
    assert statuses(ledger) == ["read"]
    assert [entry["new_status"] for entry in changes(ledger)] == ["delivered", "read"]


def test_an_event_that_came_meanwhile_is_not_undone_and_a_contradiction_is_flagged(
    ledger: Ledger,
) -> None:
    one, two = accepted(ledger, 2)
    now = SENT + HOUR
    asked = lost_statuses.due(ledger, now=now, schedule=EVENTS_LOST, most=10)
    events.apply(ledger, [event("e1", one, "delivered"), event("e2", two, "delivered")], now)
    listed = [delivery(one, "sent"), delivery(two, "failed")]
    learnt = lost_statuses.learn(ledger, asked, listed, now=now)
    assert (learnt.moved, learnt.still_open) == (1, 0)
    assert statuses(ledger) == ["delivered", "failed"]
    assert changes(ledger)[-1]["details"]["contradiction"] is True
    assert [row.ask_at for row in rows(ledger)] == [None, None]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["event", "answer"]), st.sampled_from(list(Status))),
        min_size=1,
        max_size=8,
    )
)
def test_events_and_answers_in_any_order_end_at_the_status_furthest_on(
    sqlite_ledger: Ledger, steps: list[tuple[str, Status]]
) -> None:
    ledger, occurrence = sqlite_ledger, uuid.uuid4().hex
    (one,) = accepted(ledger, 1, occurrence=occurrence)
    with ledger.read() as connection:
        (id_,) = connection.execute(
            select(messages.c.id).where(messages.c.api_message_id == one)
        ).scalars()
    asked, reached = [Awaited(id=id_, message_id=one, attempted_at=SENT)], Status.QUEUED
    for number, (source, status) in enumerate(steps):
        if source == "event":
            events.apply(ledger, [event(f"{occurrence}-{number}", one, status.word)], SENT)
        else:
            listed = [delivery(one, status.word)]
            lost_statuses.learn(ledger, asked, listed, now=SENT + HOUR)
        reached = max(reached, status)
        with ledger.read() as connection:
            query = select(messages.c.status).where(messages.c.id == id_)
            assert connection.execute(query).scalar() == reached.word


def test_of_two_listings_the_one_further_on_counts_and_odd_words_do_not(ledger: Ledger) -> None:
    one, two = accepted(ledger, 2)
    now = SENT + HOUR
    asked = lost_statuses.due(ledger, now=now, schedule=EVENTS_LOST, most=10)
    ahead = now + timedelta(days=400)
    listed = [
        delivery(one, "sent", sent_at=SENT),
        delivery(one, "delivered", delivered_at=ahead),
        delivery(one, "sent", sent_at=SENT),
        delivery(two, "teleported"),
        delivery(two.upper(), "read"),
    ]
    learnt = lost_statuses.learn(ledger, asked, listed, now=now)
    assert (learnt.moved, learnt.still_open, learnt.not_listed) == (1, 1, 0)
    assert statuses(ledger) == ["delivered", "queued"]
    assert rows(ledger)[0].status_at == now  # no status is reached in the future


def test_a_run_stops_at_its_bounds_and_the_next_one_goes_on(
    ledger: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    early, late = accepted(ledger, 2), accepted(ledger, 3, at=SENT + HOUR, occurrence="later")
    simulator.load([entity(id_, "read") for id_ in early])
    simulator.load([entity(id_, "read", at=SENT + HOUR) for id_ in late])
    now = SENT + 2 * HOUR
    first = ask(ledger, client, now=now, bounds=Bounds(pages=1))
    assert first == Asked(moved=2, unasked=3)
    second = ask(ledger, client, now=now, bounds=Bounds(messages=2))
    assert second == Asked(moved=2)
    assert ask(ledger, client, now=now) == Asked(moved=1)
    assert set(statuses(ledger)) == {"read"}


class Contradicting:
    """Lists one interval in circles, and everything of the others as delivered."""

    def __init__(self, ids: Sequence[str], *, circles_at: datetime) -> None:
        self.asked = 0
        self._ids = ids
        self._circles_at = circles_at

    def pages(self, start: datetime, end: datetime) -> Iterator[DeliveryPage]:
        self.asked += 1
        if start <= self._circles_at < end:
            raise PagingError("page 2 holds the same entries as page 1")
        found = [delivery(id_, "delivered") for id_ in self._ids]
        yield DeliveryPage(number=1, total=len(found), deliveries=found, has_more=False)


def test_a_list_that_contradicts_itself_holds_up_nobody_else(ledger: Ledger) -> None:
    accepted(ledger, 2)
    late = accepted(ledger, 1, at=SENT + HOUR, occurrence="later")
    lister = Contradicting(late, circles_at=SENT)
    now = SENT + 2 * HOUR
    assert ask(ledger, lister, now=now) == Asked(moved=1, unasked=2)
    assert statuses(ledger) == ["queued", "queued", "delivered"]
    assert ask(ledger, lister, now=now + 23 * HOUR) == Asked()
    assert ask(ledger, lister, now=now + 24 * HOUR) == Asked(unasked=2)
    assert lister.asked == 3


def test_pages_are_read_until_everybody_has_been_seen(
    ledger: Ledger, client: GenesysClient, simulator: SimulatorProcess
) -> None:
    one, two = accepted(ledger, 2)
    others = [entity(f"o{number}", "sent") for number in range(250)]
    simulator.load([entity(one, "read"), entity(two, "read"), *others])
    assert client.profile == "messaging"  # which is asked for once
    before = len(simulator.requests()["requests"])
    assert ask(ledger, client, now=SENT + HOUR).moved == 2
    assert len(simulator.requests()["requests"]) - before == 1


@given(st.lists(st.integers(0, 20_000), max_size=30))
def test_windows_cover_every_message_once_and_stay_short(seconds: list[int]) -> None:
    due = [
        Awaited(id=number, message_id=f"m{number}", attempted_at=SENT + timedelta(seconds=second))
        for number, second in enumerate(sorted(seconds))
    ]
    found = list(windows(due))
    assert [one for window in found for one in window.awaited] == due
    for window in found:
        for one in window.awaited:
            assert window.start <= one.attempted_at - BEFORE
            assert one.attempted_at + AFTER <= window.end
        assert window.end - window.start <= LONGEST_WINDOW + BEFORE + AFTER
    assert all(before.start < after.start for before, after in pairwise(found))


def test_an_index_serves_the_search_for_lost_statuses(ledger: Ledger) -> None:
    asked: list[tuple[str, Any]] = []
    sqlite = ledger.engine.dialect.name == "sqlite"

    @sqlalchemy.event.listens_for(ledger.engine, "before_cursor_execute")
    def keep(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "ask_at" in statement:
            asked.append((statement, parameters))

    lost_statuses.due(ledger, now=SENT, schedule=EVENTS_LOST, most=10)
    ((statement, parameters),) = asked
    with ledger.read() as connection:
        if not sqlite:  # an empty table is read from end to end, whatever indexes it has
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        told = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
    assert "ix_messages_attempted" in str(told)
