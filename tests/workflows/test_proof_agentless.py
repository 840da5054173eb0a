"""A campaign of the agentless profile proved, where Genesys lists conversations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.contract import MessageRef
from genesys_cloud.ledger import unknowns
from genesys_cloud.ledger.tables import messages
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import OutboundMessage
from genesys_cloud.settings import Account
from genesys_cloud.workflows.proof import Certificate, Witness, prove
from genesys_cloud.workflows.reconciling import reconcile
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.workflows.sender import Sender


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(requests_per_minute=10_000_000, profiles="agentless") as process:
        yield process


@pytest.fixture
def account(simulator: SimulatorProcess, account: Account) -> Account:
    return replace(account, profile="agentless")


def certificate(sender: Sender, witness: Witness | None = None) -> Certificate:
    now = datetime.now(UTC)
    return prove(sender.ledger, witness or sender.client, CAMPAIGN.campaign_id, now=now)


def send_again(sender: Sender, number: int) -> None:
    """Send a message of the ledger once more, behind its back."""
    with sender.ledger.read() as connection:
        row = connection.execute(select(messages).where(messages.c.row_number == number)).one()
    sender.client.send(
        OutboundMessage(
            message_key=row.message_key,
            campaign_id=CAMPAIGN.campaign_id,
            channel=CAMPAIGN.channel,
            sender=CAMPAIGN.sender,
            recipient=row.address,
            text=row.text,
            consent_verified=True,
            use_active_conversation=True,
        )
    )


def test_a_finished_campaign_is_proved(sender: Sender) -> None:
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 30)))
    found = certificate(sender)
    assert (found.proved, found.listed, found.recipients) == (True, 30, 30)


def test_a_lost_answer_is_a_difference_until_it_is_reconciled(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "agentless", "fault": "drop_after", "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 5)))
    (difference,) = certificate(sender).differences
    assert difference.endswith("is listed, and not in the ledger; run reconcile_sends")
    assert "+1202555" not in difference
    reconcile(sender.ledger, sender.client, now=datetime.now(UTC))
    assert certificate(sender).proved


def test_what_a_person_settled_as_sent_may_be_listed(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "agentless", "fault": "drop_after", "times": 1}])
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 2)))
    (one,) = unknowns.find(sender.ledger)
    now = datetime.now(UTC)
    unknowns.settle(sender.ledger, one.message_key, "sent", reason="saw it", actor="a", now=now)
    assert certificate(sender).proved


def test_a_message_that_went_out_twice_is_a_difference(sender: Sender) -> None:
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 3)))
    send_again(sender, 2)
    found = certificate(sender)
    (difference,) = found.differences
    assert difference.endswith("not in the ledger; it went out twice, or from elsewhere")
    assert "…02" in difference
    assert found.listed == 4


def test_another_campaign_s_message_to_the_same_people_is_none_of_this_one_s(
    sender: Sender,
) -> None:
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 3)))
    other = replace(CAMPAIGN, campaign_id="another")
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 3, campaign=other, occurrence="2")))
    found = certificate(sender)
    assert (found.differences, found.listed) == ([], 3)


@dataclass(frozen=True, kw_only=True)
class Forgetful:
    """Lists nothing, as analytics does of conversations that began long ago."""

    client: GenesysClient

    def pages(self, start: datetime, end: datetime) -> Iterator[DeliveryPage]:
        yield DeliveryPage(number=1, total=0, deliveries=[], has_more=False)

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        return self.client.look_up(refs)


def test_a_message_in_a_conversation_of_before_is_looked_up_by_itself(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    sender.send(only_shard(sender.ledger, plant(sender.ledger, 3)))
    old = Forgetful(client=sender.client)
    assert certificate(sender, old).proved
    simulator.reset()
    found = certificate(sender, old)
    assert len(found.differences) == 3
    assert found.differences[0].endswith("and is not listed")
