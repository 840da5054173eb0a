"""Suppressions and DNC lists: what goes over, what stays, and what can't."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.dnc_lists import DncEntry, DncLists
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit, erasure, suppressions
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.identity import identify
from genesys_cloud.settings import Account
from genesys_cloud.workflows.suppression_sync import Pulled, Pushed, pull, push, sync
from tests.ledger.planted import plant
from tests.simulator.platform_caller import Platform
from tests.simulator.server import SimulatorProcess
from tests.workflows.platform import account_at, calling

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = datetime(2027, 1, 31, 12, 30, tzinfo=UTC)
SMS = "messaging:sms"


@pytest.fixture(scope="module")
def platform_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(profiles="agentless", requests_per_minute=1_000_000) as simulator:
        yield simulator


@pytest.fixture
def platform(platform_process: SimulatorProcess) -> Iterator[Platform]:
    yield from calling(platform_process)


@pytest.fixture
def account(platform: Platform) -> Account:
    return account_at(platform.simulator)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


@pytest.fixture
def lists(client: GenesysClient) -> DncLists:
    return DncLists(client.session)


def a_list(platform: Platform, *numbers: str) -> str:
    made = platform.admin("dnclists", {"name": "do not contact", "phoneNumbers": list(numbers)})
    return str(made["id"])


def number(which: int) -> str:
    return f"+1202555{which:04d}"


def suppress(ledger: Ledger, which: int, **changes: object) -> None:
    entry = Suppression(channel=SMS, address=number(which), reason="opted_out", source="cli:ann")
    suppressions.add(ledger, [replace(entry, **changes)], actor="ann", now=NOW)  # type: ignore[arg-type]


def pulled(ledger: Ledger, lists: DncLists, list_id: str, channel: str = SMS) -> Pulled:
    return pull(ledger, lists, list_id, channel=channel, actor="cli:ann", now=NOW)


def pushed(ledger: Ledger, lists: DncLists, list_id: str, channel: str = SMS) -> Pushed:
    return push(ledger, lists, list_id, channel=channel, actor="cli:ann", now=NOW)


def test_a_list_is_pulled_and_pulled_again(
    ledger: Ledger, lists: DncLists, platform: Platform
) -> None:
    list_id = a_list(platform, number(101), number(102), "5550103", "+1555000")
    lists.push(list_id, [DncEntry(number(104), LATER)])
    assert pulled(ledger, lists, list_id) == Pulled(added=3, unchanged=0, unusable=2)
    assert pulled(ledger, lists, list_id) == Pulled(added=0, unchanged=3, unusable=2)
    listed = suppressions.listing(ledger)
    assert {(one["reason"], one["source"]) for one in listed} == {("dnc", f"dnc list {list_id}")}
    assert {one["masked_address"]: one["expires_at"] for one in listed} == {
        "…01": None, "…02": None, "…04": LATER,
    }  # fmt: skip
    entries = [one for one in audit.read(ledger) if one["action"] == "suppression.added"]
    assert [one["actor"] for one in entries] == ["cli:ann"] * 3


@pytest.mark.parametrize("channel", [SMS, "messaging:whatsapp"])
def test_a_number_without_its_plus_is_the_same_person_s(
    ledger: Ledger, lists: DncLists, platform: Platform, channel: str
) -> None:
    done = pulled(ledger, lists, a_list(platform, number(101)[1:]), channel)
    assert done == Pulled(added=1, unchanged=0, unusable=0)
    again = pulled(ledger, lists, a_list(platform, number(101)), channel)
    assert again == Pulled(added=0, unchanged=1, unusable=0)


def test_the_same_numbers_may_be_of_another_channel(
    ledger: Ledger, lists: DncLists, platform: Platform
) -> None:
    list_id = a_list(platform, number(101))
    pulled(ledger, lists, list_id, "messaging:whatsapp")
    (listed,) = suppressions.listing(ledger)
    assert listed["channel"] == "messaging:whatsapp"
    assert pushed(ledger, lists, a_list(platform)) == Pushed(pushed=0, unknown=0)


def test_only_what_the_ledger_still_knows_is_pushed(
    ledger: Ledger, lists: DncLists, platform: Platform
) -> None:
    plant(ledger, 4)
    plant(ledger, 4, occurrence="again")  # an address goes once, in however many messages it is
    suppress(ledger, 1)
    suppress(ledger, 2, expires_at=LATER)
    suppress(ledger, 3, expires_at=NOW - timedelta(days=1))  # over
    suppress(ledger, 77)  # nobody ever wrote to this one
    list_id = a_list(platform, number(9))
    assert pushed(ledger, lists, list_id) == Pushed(pushed=2, unknown=1)
    assert set(lists.pull(list_id)) == {
        (number(9), None), (number(1), None), (number(2), LATER),
    }  # fmt: skip
    (entry,) = [one for one in audit.read(ledger) if one["action"] == "suppression.pushed"]
    assert entry["details"] == {"list": list_id, "channel": SMS, "pushed": 2, "unknown": 1}
    assert "202555" not in str(entry)


def test_who_was_erased_goes_nowhere(ledger: Ledger, lists: DncLists, platform: Platform) -> None:
    plant(ledger, 2)
    suppress(ledger, 1)
    erasure.erase(ledger, identify(number(1)), certificate_id="c", reason="", actor="ann", now=NOW)
    assert pushed(ledger, lists, a_list(platform)) == Pushed(pushed=0, unknown=1)


def test_what_came_from_a_list_does_not_go_back_to_it(
    ledger: Ledger, lists: DncLists, platform: Platform
) -> None:
    plant(ledger, 2)
    list_id, other = a_list(platform, number(1)), a_list(platform)
    pulled(ledger, lists, list_id)
    assert pushed(ledger, lists, list_id) == Pushed(pushed=0, unknown=0)
    assert pushed(ledger, lists, other) == Pushed(pushed=1, unknown=0)


@pytest.mark.parametrize("channel", ["messaging:open", "messaging:fax"])
def test_a_channel_without_numbers_is_refused(
    ledger: Ledger, lists: DncLists, channel: str
) -> None:
    for work in (pulled, pushed):
        with pytest.raises(CampaignDefinitionError, match="hold phone numbers"):
            work(ledger, lists, "l-1", channel)


@pytest.mark.parametrize(("list_id", "direction"), [("", "pull"), ("l-1", "both")])
def test_a_synchronisation_that_lacks_something_says_what(list_id: str, direction: str) -> None:
    with pytest.raises(CampaignDefinitionError, match="needs list_id"):
        sync(list_id, direction=direction, channel=SMS, actor="ann")
