"""The real platform pushes to a real receiver: registered by us, and counted in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.receiver_address import ReceiverAddress
from genesys_cloud.api.registrations import Order
from genesys_cloud.errors import CampaignDefinitionError, ReceiverCheckError
from genesys_cloud.ledger import audit, suppressions
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.tables import messages, status_events
from genesys_cloud.outbound.messages import OutboundMessage
from genesys_cloud.settings import Account
from genesys_cloud.workflows.registering import (
    Ordered,
    check,
    order_of,
    register,
    registrar,
)
from tests.api.wire import WireServer, http, says
from tests.ledger.planted import CAMPAIGN, only_shard, plant
from tests.simulator.platform_caller import OPEN, Platform
from tests.simulator.server import SimulatorProcess, wait_for
from tests.webhook.receiver import SECRET, ReceiverProcess
from tests.workflows.platform import account_at, calling
from tests.workflows.sender import Sender

KEY = "the-key-of-an-api-destination"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BRIDGE = Order(
    kind="eventbridge", aws_account_id="123456789012", aws_region="eu-central-1",
    event_source_suffix="campaigns",
)  # fmt: skip
CALM = dict.fromkeys(
    ("failure_share", "duplicate_share", "reorder_share", "delay_share", "loss_share"), 0.0
)


@pytest.fixture(scope="module")
def pushing() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(
        profiles="agentless", speed=1000, read_share=0.0, requests_per_minute=1_000_000, **CALM
    ) as simulator:
        yield simulator


@pytest.fixture
def platform(pushing: SimulatorProcess) -> Iterator[Platform]:
    yield from calling(pushing)


@pytest.fixture
def account(platform: Platform) -> Account:
    return account_at(platform.simulator)


@contextmanager
def receiving(ledger: Ledger) -> Iterator[ReceiverProcess]:
    url = ledger.engine.url.render_as_string(hide_password=False)
    with ReceiverProcess(url, settings={"GENESYS_WEBHOOK_API_KEY": KEY}) as receiver:
        yield receiver


def order_and_register(
    ledger: Ledger, client: GenesysClient, order: Order | None, url: str, key: str | None
) -> Any:
    return register(
        ledger, registrar(client, order), url, secret=SECRET, actor="ann", now=NOW, key=key
    )


def test_statuses_come_by_event_bridge_and_move_messages(
    platform: Platform, sqlite_ledger: Ledger, client: GenesysClient, account: Account
) -> None:
    shard = only_shard(sqlite_ledger, plant(sqlite_ledger, 5))
    with receiving(sqlite_ledger) as receiver:
        found = order_and_register(sqlite_ledger, client, BRIDGE, receiver.url, KEY)
        assert (found.registration.created, found.takes_forged) == (True, False)
        platform.admin("eventbridge", {"url": receiver.url, "apiKey": KEY})
        sent = Sender(ledger=sqlite_ledger, client=client, account=account).send(shard)
        assert sent == {"accepted": 5}
        platform.simulator.wait_until_quiet()
        wait_for(lambda: outcomes(sqlite_ledger, "parked"), lambda parked: parked == 0)
    with sqlite_ledger.read() as connection:
        rows = connection.execute(select(messages)).all()
    assert {row.status for row in rows} == {"delivered"}
    # Sent and delivered, which may overtake each other on their way.
    assert outcomes(sqlite_ledger, "applied") + outcomes(sqlite_ledger, "stale") == 10
    (entry, *_) = [one for one in audit.read(sqlite_ledger)
                   if one["action"] == "webhook.registered"]  # fmt: skip
    assert KEY not in str(entry)


def outcomes(ledger: Ledger, word: str) -> int:
    with ledger.read() as connection:
        kept = connection.execute(select(status_events.c.outcome)).scalars()
        return list(kept).count(word)


def test_who_writes_stop_to_the_platform_is_suppressed(
    platform: Platform, sqlite_ledger: Ledger, client: GenesysClient
) -> None:
    def write(text: str) -> None:
        said = {"channel": "sms", "from": "+12025550123", "to": "+12025550100", "text": text}
        platform.admin("inbound", said)
        platform.simulator.wait_until_quiet()

    with receiving(sqlite_ledger) as receiver:
        platform.admin("eventbridge", {"url": receiver.url, "apiKey": KEY})
        write("thank you")
        assert suppressions.listing(sqlite_ledger) == []
        write("Stop.")
        (listed,) = suppressions.listing(sqlite_ledger)
        assert (listed["source"], listed["channel"]) == ("inbound message", "messaging:sms")
        write("START")
        assert suppressions.listing(sqlite_ledger) == []


def test_an_open_message_that_is_handed_over_was_sent(
    platform: Platform, sqlite_ledger: Ledger, client: GenesysClient
) -> None:
    with receiving(sqlite_ledger) as receiver:
        order = Order(kind="open", name="our receiver")
        found = order_and_register(sqlite_ledger, client, order, receiver.url, None)
        (integration,) = platform.get(OPEN).json()["entities"]
        assert integration["id"] == found.registration.id
        receipt = client.send(
            OutboundMessage(
                message_key="k-1", campaign_id=CAMPAIGN.campaign_id, channel="messaging:open",
                sender=integration["id"], recipient="open:ann@social", text="Hi",
                consent_verified=True,
            )
        )  # fmt: skip
        platform.simulator.wait_until_quiet()
    with sqlite_ledger.read() as connection:
        (event,) = connection.execute(select(status_events)).all()
    assert (event.api_message_id, event.status) == (receipt.message_id, "sent")


def test_the_key_is_tried_as_the_secret_is(sqlite_ledger: Ledger, client: GenesysClient) -> None:
    with receiving(sqlite_ledger) as receiver:
        address = ReceiverAddress(url=receiver.url)
        assert not check(address, SECRET, key=KEY, timeout_s=60)
        with pytest.raises(
            ReceiverCheckError, match=r"API key .*GENESYS_WEBHOOK_API_KEY"
        ) as caught:
            check(address, SECRET, key="another-key-altogether", timeout_s=60)
    assert "another-key" not in str(caught.value)


def test_every_profile_says_what_it_needs(client: GenesysClient, tmp_path: Path) -> None:
    with pytest.raises(CampaignDefinitionError, match=r"`open` is .*track_statuses"):
        registrar(client, None)
    assert isinstance(registrar(client, BRIDGE), Ordered)
    other = Account(name="x", client_id="c", client_secret="s", profile="messaging",
                    base_url="http://127.0.0.1:1")  # fmt: skip
    with GenesysClient(other, state_dir=tmp_path / "other") as tutorial:
        assert registrar(tutorial, None) is tutorial
        with pytest.raises(CampaignDefinitionError, match="Leave it empty"):
            registrar(tutorial, BRIDGE)


def test_a_form_is_an_order_where_anything_is_filled_in() -> None:
    empty = {"webhook_url": "https://x", "verify": True, "kind": None, "name": "", "topic": None}
    assert order_of(empty) is None
    assert order_of(empty | {"kind": "open"}) == Order(kind="open")
    with pytest.raises(CampaignDefinitionError, match="no kind ''"):
        order_of(empty | {"topic": "v2.users.x"})


def test_an_address_that_fails_the_trial_is_not_registered(
    platform: Platform, sqlite_ledger: Ledger, client: GenesysClient
) -> None:
    with (
        WireServer(says(http(404))) as server,
        pytest.raises(ReceiverCheckError, match="Nothing was registered"),
    ):
        order_and_register(sqlite_ledger, client, Order(kind="open"), server.url, None)
    assert platform.get(OPEN).json()["entities"] == []
