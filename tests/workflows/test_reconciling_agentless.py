"""Unknown sends of the agentless profile are settled by analytics, and never sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.ledger import sends, unknowns
from genesys_cloud.ledger.events import Effect
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.ledger.tables import messages, status_events
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.status import about_conversation
from genesys_cloud.settings import Account
from genesys_cloud.workflows.pace import limits_of
from genesys_cloud.workflows.proof import prove
from genesys_cloud.workflows.reconciling import (
    LONGEST_SEARCH,
    MOST_NARROWED,
    Reconciled,
    reconcile,
)
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import PLENTY, Sender


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(requests_per_minute=10_000_000, profiles="agentless") as process:
        yield process


@pytest.fixture
def account(simulator: SimulatorProcess, account: Account) -> Account:
    return replace(account, profile="agentless")


def drop_answers(simulator: SimulatorProcess, count: int) -> None:
    """Have some messages accepted whose answers are lost."""
    simulator.faults([{"on": "agentless", "fault": "drop_after", "times": count}])


def settle(sender: Sender) -> Reconciled:
    return reconcile(sender.ledger, sender.client, now=datetime.now(UTC))


def rows(sender: Sender) -> list[Any]:
    with sender.ledger.read() as connection:
        return list(connection.execute(select(messages).order_by(messages.c.row_number)))


def test_a_dropped_connection_is_settled_with_message_id_and_conversation(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    drop_answers(simulator, 3)
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 20)))
    assert sender.states() == {"accepted": 17, "unknown": 3}
    done = settle(sender)
    assert (done.found, done.left) == (3, 0)
    accepted = {message["to"]: message for message in simulator.messages()}
    assert len(accepted) == len(simulator.messages()) == 20
    for row in rows(sender):
        mine = accepted[row.address]
        assert (row.api_message_id, row.conversation_id) == (mine["id"], mine["conversationId"])
        assert row.state == "accepted"
    certificate = prove(sender.ledger, sender.client, CAMPAIGN.campaign_id, now=datetime.now(UTC))
    assert certificate.differences == []


def test_settling_again_changes_nothing(simulator: SimulatorProcess, sender: Sender) -> None:
    drop_answers(simulator, 1)
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 2)))
    assert settle(sender).found == 1
    before = rows(sender)
    assert settle(sender) == Reconciled(recovered=0, found=0, left=0)
    assert rows(sender) == before


def test_what_analytics_does_not_know_stays_unknown(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "agentless", "fault": "status", "status": 503, "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 2)))
    done = settle(sender)
    assert (done.found, done.left) == (0, 1)
    assert len(simulator.messages()) == 1


def test_the_message_of_an_earlier_send_to_the_same_person_is_not_taken_for_this_one(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1)))
    simulator.faults([{"on": "agentless", "fault": "status", "status": 503, "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1, occurrence="twice")))
    done = settle(sender)
    assert (done.found, done.left) == (0, 1)


def test_a_message_that_the_ledger_has_without_its_conversation_is_no_stranger(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1)))
    with sender.ledger.write() as connection:  # an answer that named no conversation
        connection.execute(update(messages).values(conversation_id=None))
    simulator.faults([{"on": "agentless", "fault": "status", "status": 503, "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1, occurrence="twice")))
    done = settle(sender)
    assert (done.found, done.left) == (0, 1)


def test_a_status_that_came_before_for_the_conversation_is_applied(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    drop_answers(simulator, 1)
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1)))
    (accepted,) = simulator.messages()
    now = datetime.now(UTC)
    parked = {
        "event_id": "e1",
        "api_message_id": about_conversation(accepted["conversationId"]),
        "status": "read",
        "occurred_at": now,
        "received_at": now,
        "outcome": Effect.PARKED,
    }
    with sender.ledger.write() as connection:
        connection.execute(insert(status_events).values(parked))
    assert settle(sender).found == 1
    (row,) = rows(sender)
    assert row.status == "read"


class Watched:
    """A client that tells how many recipients it was narrowed to."""

    def __init__(self, client: GenesysClient) -> None:
        self.client = client
        self.narrowed: list[int] = []

    def pages(
        self, start: datetime, end: datetime, *, recipients: Sequence[str] = ()
    ) -> Iterator[DeliveryPage]:
        self.narrowed.append(len(recipients))
        return self.client.pages(start, end, recipients=recipients)

    def outbound_ids(self, conversation_id: str) -> Sequence[str]:
        return self.client.outbound_ids(conversation_id)


def test_few_recipients_narrow_the_query_and_many_do_not(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    watched = Watched(sender.client)
    for number, people in enumerate((MOST_NARROWED, MOST_NARROWED + 1)):
        drop_answers(simulator, people)
        sender.send(only_shard(sender.ledger, plant(sender.ledger, people, occurrence=str(number))))
        done = reconcile(sender.ledger, watched, now=datetime.now(UTC))
        assert (done.found, done.left) == (people, 0)
    assert watched.narrowed == [MOST_NARROWED, 0]


class Conversation:
    """One listed conversation in which several messages went out."""

    def __init__(self, delivery: Delivery, ids: Sequence[str]) -> None:
        self.delivery, self.ids = delivery, ids

    def pages(
        self, start: datetime, end: datetime, *, recipients: Sequence[str] = ()
    ) -> Iterator[DeliveryPage]:
        yield DeliveryPage(number=1, total=1, deliveries=[self.delivery], has_more=False)

    def outbound_ids(self, conversation_id: str) -> Sequence[str]:
        return self.ids


@pytest.mark.parametrize("ids", [(), ("m1", "m2")])
def test_where_no_one_message_can_be_named_the_conversation_is_recorded(
    simulator: SimulatorProcess, sender: Sender, ids: Sequence[str]
) -> None:
    simulator.faults([{"on": "agentless", "fault": "status", "status": 503, "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1)))
    (unknown,) = unknowns.find(sender.ledger)
    delivery = Delivery(
        message_id="c1/s1", conversation_id="c1", channel=unknown.channel, status="sent",
        recipient=unknown.address, created_at=unknown.attempted_at + timedelta(seconds=1),
    )  # fmt: skip
    done = reconcile(sender.ledger, Conversation(delivery, ids), now=datetime.now(UTC))
    assert done.found == 1
    (row,) = rows(sender)
    assert (row.state, row.api_message_id, row.conversation_id) == ("accepted", None, "c1")
    assert row.status == "sent"


@pytest.mark.parametrize(("ids", "status"), [(["m1"], "queued"), (["m1", "m2"], "failed")])
def test_why_a_listed_message_failed_is_asked_before_it_is_final(
    simulator: SimulatorProcess, sender: Sender, ids: Sequence[str], status: str
) -> None:
    simulator.faults([{"on": "agentless", "fault": "status", "status": 503, "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1)))
    (unknown,) = unknowns.find(sender.ledger)
    delivery = Delivery(
        message_id="c1/s1", conversation_id="c1", channel=unknown.channel, status="failed",
        recipient=unknown.address, created_at=unknown.attempted_at,
    )  # fmt: skip
    reconcile(sender.ledger, Conversation(delivery, ids), now=datetime.now(UTC))
    assert [row.status for row in rows(sender)] == [status]


# --- two campaigns that write to one person

OTHER = replace(CAMPAIGN, campaign_id="camp_2")


def lose_the_first(simulator: SimulatorProcess, sender: Sender) -> Shard:
    """Have camp_1's message fail without a trace, and return the shard of camp_2's to the same."""
    simulator.faults([{"on": "agentless", "fault": "status", "status": 503, "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 1)))
    other = plant(sender.ledger, 1, occurrence="twice", campaign=OTHER)
    return only_shard(sender.ledger, other)


def test_another_campaigns_unknown_message_is_not_taken_for_this_ones(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    other = lose_the_first(simulator, sender)
    drop_answers(simulator, 1)
    sender.send(other)
    assert len(simulator.messages()) == 1
    for campaign_id, left in ((CAMPAIGN.campaign_id, 1), (OTHER.campaign_id, 1), (None, 2)):
        done = reconcile(
            sender.ledger, sender.client, now=datetime.now(UTC), campaign_id=campaign_id
        )
        assert (done.found, done.left) == (0, left)


def test_a_message_whose_answer_is_on_its_way_is_not_taken_for_an_unknown_one(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    other = lose_the_first(simulator, sender)
    limits, lease = limits_of(sender.account, PLENTY, campaign_id="camp_2"), timedelta(hours=1)
    now = datetime.now(UTC)
    batch = sends.claim(sender.ledger, other, limits, most=1, now=now, lease=lease)
    sends.begin_attempt(sender.ledger, batch, now=now, lease=lease)
    sender.client.send(batch.claims[0].message)
    done = settle(sender)
    assert (done.recovered, done.found, done.left) == (0, 0, 1)


class Late(Conversation):
    """A list during which another worker begins an attempt, which the list then shows."""

    def __init__(self, delivery: Delivery, begin: Callable[[], object]) -> None:
        super().__init__(delivery, ["m1"])
        self.begin = begin

    def pages(
        self, start: datetime, end: datetime, *, recipients: Sequence[str] = ()
    ) -> Iterator[DeliveryPage]:
        self.begin()
        return super().pages(start, end, recipients=recipients)


def test_an_attempt_that_begins_while_the_list_is_read_is_a_rival_too(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    other = lose_the_first(simulator, sender)
    (unknown,) = unknowns.find(sender.ledger)
    limits, lease = limits_of(sender.account, PLENTY, campaign_id="camp_2"), timedelta(hours=1)
    now = datetime.now(UTC)

    def begin() -> None:
        batch = sends.claim(sender.ledger, other, limits, most=1, now=now, lease=lease)
        sends.begin_attempt(sender.ledger, batch, now=now, lease=lease)

    delivery = Delivery(
        message_id="c1/s1", conversation_id="c1", channel=unknown.channel, status="sent",
        recipient=unknown.address, created_at=now,
    )  # fmt: skip
    assert reconcile(sender.ledger, Late(delivery, begin), now=now).found == 0


# --- what stands in the way of nobody else


def attempted(sender: Sender, *instants: datetime) -> None:
    for row, at in zip(rows(sender), instants, strict=True):
        with sender.ledger.write() as connection:
            one = update(messages).where(messages.c.id == row.id)
            connection.execute(one.values(attempted_at=at))


def test_what_is_old_is_left_to_a_person_and_not_looked_for(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    drop_answers(simulator, 2)
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 2)))
    now = datetime.now(UTC)
    attempted(sender, now - LONGEST_SEARCH - timedelta(seconds=1), now)
    watched = Watched(sender.client)
    done = reconcile(sender.ledger, watched, now=now)
    assert (done.found, done.left, watched.narrowed) == (1, 1, [1])


class Torn(Watched):
    """A client whose first list can't be read."""

    def __init__(self, client: GenesysClient, error: Exception) -> None:
        super().__init__(client)
        self.error = error

    def pages(
        self, start: datetime, end: datetime, *, recipients: Sequence[str] = ()
    ) -> Iterator[DeliveryPage]:
        found = super().pages(start, end, recipients=recipients)
        if len(self.narrowed) == 1:
            raise self.error
        return found


@pytest.mark.parametrize("error", [PagingError("torn"), RequestRejectedError("no", status=400)])
def test_a_list_that_can_not_be_read_keeps_no_other_from_being_read(
    simulator: SimulatorProcess, sender: Sender, error: Exception
) -> None:
    drop_answers(simulator, 2)
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 2)))
    now = datetime.now(UTC)
    attempted(sender, now - timedelta(hours=1), now)
    done = reconcile(sender.ledger, Torn(sender.client, error), now=now)
    assert (done.found, done.left) == (1, 1)
    assert [row.state for row in rows(sender)] == ["unknown", "accepted"]
