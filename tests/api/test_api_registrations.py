"""The real platform is told to push once, however often it is asked to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.registrations import Order, Registrations
from genesys_cloud.errors import (
    CampaignDefinitionError,
    ConnectionSettingsError,
    PagingError,
    RequestRejectedError,
)
from tests.api.conftest import MakeClient
from tests.api.wire import WireServer, http, says
from tests.simulator.platform_caller import INTEGRATIONS, OPEN, TRIGGERS, Platform
from tests.simulator.server import SimulatorProcess

URL = "https://hooks.example.org/webhooks/genesys-messaging"
SECRET = "a-secret-of-thirty-two-characters"
BRIDGE = Order(
    kind="eventbridge", aws_account_id="123456789012", aws_region="eu-central-1",
    event_source_suffix="campaigns",
)  # fmt: skip
TRIGGER = Order(
    kind="trigger",
    topic="v2.webmessaging.deployments.{id}.undelivered.messages",
    workflow_id="5e6f2f0a-3c1d-4b6a-9d52-0c7a1f4e8b21",
)


@pytest.fixture
def registrations(agentless: GenesysClient) -> Registrations:
    return Registrations(agentless.session)


def listed(platform: SimulatorProcess, path: str) -> list[dict[str, Any]]:
    caller = Platform(platform)
    try:
        return list(caller.get(path).json()["entities"])
    finally:
        caller.close()


def test_an_open_integration_is_made_once_and_its_secret_put_each_time(
    registrations: Registrations, platform: SimulatorProcess
) -> None:
    order = Order(kind="open")
    made = registrations.register(order, url=URL, secret=SECRET)
    again = registrations.register(order, url=URL + "/2", secret=SECRET)
    assert (made.created, made.updated) == (True, False)
    assert (again.id, again.created, again.updated) == (made.id, False, True)
    (integration,) = listed(platform, OPEN)
    assert (integration["name"], integration["outboundNotificationWebhookUrl"]) == (
        "messaging-status-tracker", URL + "/2",
    )  # fmt: skip
    other = registrations.register(replace(order, name="other"), url=URL, secret=SECRET)
    assert other.created
    assert len(listed(platform, OPEN)) == 2


@pytest.mark.parametrize("secret", [None, "", "fifteen-letters"])
def test_a_secret_that_the_platform_refuses_is_a_sentence(
    registrations: Registrations, platform: SimulatorProcess, secret: str | None
) -> None:
    with pytest.raises(ConnectionSettingsError, match="at least 16 characters") as caught:
        registrations.register(Order(kind="open"), url=URL, secret=secret)
    assert "fifteen" not in str(caught.value)
    assert listed(platform, OPEN) == []


def test_an_event_bridge_is_made_configured_and_enabled_once(
    registrations: Registrations, platform: SimulatorProcess
) -> None:
    made = registrations.register(BRIDGE, url=None, secret=None)
    again = registrations.register(BRIDGE, url=None, secret=None)
    moved = registrations.register(replace(BRIDGE, aws_region="us-east-1"), url=None, secret=None)
    assert (made.created, again.created, again.updated, moved.updated) == (True, False, False, True)
    assert {made.id, again.id, moved.id} == {made.id}
    (integration,) = listed(platform, INTEGRATIONS)
    assert integration["intendedState"] == "ENABLED"
    assert integration["config"]["current"]["properties"] == {
        "awsAccountId": "123456789012",
        "awsAccountRegion": "us-east-1",
        "eventSourceSuffix": "campaigns",
        "eventFilter": ["v2.analytics.conversation.{id}.metrics"],
    }


def test_what_a_run_left_half_made_the_next_one_completes(
    registrations: Registrations, platform: SimulatorProcess
) -> None:
    caller = Platform(platform)
    body = {"name": "messaging-status-tracker",
            "integrationType": {"id": "amazon-eventbridge-source"}}  # fmt: skip
    half = caller.post(INTEGRATIONS, body).json()
    caller.close()
    found = registrations.register(BRIDGE, url=None, secret=None)
    assert (found.id, found.created, found.updated) == (half["id"], False, True)
    assert listed(platform, INTEGRATIONS)[0]["intendedState"] == "ENABLED"


def test_a_trigger_is_made_once(registrations: Registrations, platform: SimulatorProcess) -> None:
    made = registrations.register(TRIGGER, url=None, secret=None)
    again = registrations.register(TRIGGER, url=None, secret=None)
    assert (made.created, again.id, again.created, again.updated) == (True, made.id, False, False)
    (trigger,) = listed(platform, TRIGGERS)
    assert (trigger["enabled"], trigger["target"]["type"]) == (True, "Workflow")
    other = replace(TRIGGER, topic="v2.outbound.messaging.campaigns.contact.postContact")
    with pytest.raises(CampaignDefinitionError, match="there for another topic"):
        registrations.register(other, url=None, secret=None)


def test_a_trigger_that_was_changed_is_put_right_and_keeps_the_rest(
    make_client: MakeClient,
) -> None:
    known = {
        "id": "t-1", "name": "messaging-status-tracker", "topicName": TRIGGER.topic,
        "target": {"type": "Workflow", "id": "another"}, "version": 7, "enabled": False,
        "matchCriteria": [{"jsonPath": "x", "operator": "Equal", "value": "y"}],
        "eventTTLSeconds": 60,
    }  # fmt: skip
    pages = [
        {"entities": [], "nextUri": f"{TRIGGERS}?after=x"},
        {"entities": [known], "nextUri": None},
    ]
    answers = [http(200, json.dumps(body).encode()) for body in [*pages, known]]
    with WireServer(says(*answers)) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        found = Registrations(client.session).register(TRIGGER, url=None, secret=None)
    assert (found.id, found.updated) == ("t-1", True)
    first, second, put = server.requests
    assert (first.method, second.target, put.method) == ("GET", f"{TRIGGERS}?after=x", "PUT")
    body = json.loads(put.body)
    assert (body["version"], body["enabled"], body["eventTTLSeconds"]) == (7, True, 60)
    assert body["target"]["id"] == TRIGGER.workflow_id
    assert body["matchCriteria"] == known["matchCriteria"]


@pytest.mark.parametrize("following", [TRIGGERS + "?pageSize=100", "https://elsewhere.example/x"])
def test_a_list_of_triggers_that_never_ends_or_leads_astray_is_an_error(
    make_client: MakeClient, following: str
) -> None:
    page = http(200, json.dumps({"entities": [], "nextUri": following}).encode())
    with WireServer(says(page)) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        with pytest.raises(PagingError):
            Registrations(client.session).register(TRIGGER, url=None, secret=None)
        assert len(server.requests) == 1


def test_a_refusal_does_not_repeat_the_secret(make_client: MakeClient) -> None:
    empty = http(200, b'{"entities": [], "total": 0}')
    refused = http(400, json.dumps({"code": "bad.request", "message": f"no {SECRET}"}).encode())
    with WireServer(says(empty, refused)) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        with pytest.raises(RequestRejectedError) as caught:
            Registrations(client.session).register(Order(kind="open"), url=URL, secret=SECRET)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says_what"),
    [
        ({"kind": ""}, "`open` is .*`eventbridge` is .*`trigger` is"),
        ({"kind": "webhook"}, "no kind 'webhook'"),
        ({"kind": "eventbridge"}, "aws_account_id .*aws_region .*event_source_suffix"),
        ({"kind": "eventbridge", "aws_account_id": "12"}, "12 digits"),
        ({"kind": "trigger", "topic": "messages", "workflow_id": "w"}, "topic"),
        ({"kind": "trigger", "topic": TRIGGER.topic}, "workflow_id"),
    ],
)
def test_an_order_that_lacks_something_says_what(given: dict[str, str], says_what: str) -> None:
    with pytest.raises(CampaignDefinitionError, match=says_what):
        Order(**given)
