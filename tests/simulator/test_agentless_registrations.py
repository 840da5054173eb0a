"""Registrations: open integrations, EventBridge, triggers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.platform_caller import (
    EVENT_BRIDGE_CONFIG,
    INTEGRATIONS,
    OPEN,
    OPEN_SECRET,
    TRIGGERS,
    Platform,
)

INTEGRATION: dict[str, Any] = {
    "name": "our carrier",
    "outboundNotificationWebhookUrl": "https://carrier.example/hook",
    "outboundNotificationWebhookSignatureSecretToken": OPEN_SECRET,
}
KIND = {"integrationType": {"id": "amazon-eventbridge-source"}}
TRIGGER: dict[str, Any] = {
    "name": "opt-out words",
    "topicName": "v2.detail.events.conversation.{id}.customer.start",
    "enabled": True,
    "target": {"type": "Workflow", "id": "a-workflow"},
    "matchCriteria": [{"jsonPath": "mediaType", "operator": "Equal", "value": "MESSAGE"}],
}


def test_an_open_integration_lives_and_never_shows_its_secret(platform: Platform) -> None:
    made = platform.post(OPEN, INTEGRATION)
    path = f"{OPEN}/{made.json()['id']}"
    changed = platform.call("PATCH", path, json={"name": "another name"})
    shown, listed = platform.get(path), platform.get(OPEN)
    assert (shown.json()["name"], shown.json()["status"]) == ("another name", "Active")
    assert shown.json()["outboundNotificationWebhookUrl"] == "https://carrier.example/hook"
    assert listed.json()["entities"] == [shown.json()]
    assert not any(OPEN_SECRET in answer.text for answer in (made, changed, shown, listed))
    assert platform.call("DELETE", path).status_code == 204
    assert platform.get(path).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"outboundNotificationWebhookUrl": "carrier"},
        {"outboundNotificationWebhookSignatureSecretToken": "x" * 15},
        {"outboundNotificationWebhookSignatureSecretToken": None},
        {"webhookHeaders": {"X-Tenant": 7}},
    ],
)
def test_a_bad_open_integration_is_refused(platform: Platform, changes: dict[str, Any]) -> None:
    answer = platform.post(OPEN, INTEGRATION | changes)
    assert answer.status_code == 400
    assert [each["fieldName"] for each in answer.json()["details"]] == list(changes)
    sixteen = {"outboundNotificationWebhookSignatureSecretToken": "x" * 16}
    assert platform.post(OPEN, INTEGRATION | sixteen).status_code == 200


def test_listings_name_their_neighbours(platform: Platform) -> None:
    for _ in range(3):
        platform.post(OPEN, INTEGRATION)
    middle = platform.get(f"{OPEN}?pageSize=1&pageNumber=2").json()
    assert (middle["total"], middle["pageCount"], len(middle["entities"])) == (3, 3, 1)
    assert middle["nextUri"] == f"{OPEN}?pageSize=1&pageNumber=3"
    assert middle["previousUri"] == f"{OPEN}?pageSize=1&pageNumber=1"
    assert "nextUri" not in platform.get(OPEN).json()


def test_event_bridge_is_made_configured_and_enabled(platform: Platform) -> None:
    made = platform.post(INTEGRATIONS, KIND | {"name": "status events"}).json()
    path = f"{INTEGRATIONS}/{made['id']}"
    assert made["intendedState"] == "DISABLED"
    early = platform.call("PATCH", path, json={"intendedState": "ENABLED"})
    assert early.status_code == 400
    config = platform.call("PUT", f"{path}/config/current", json=EVENT_BRIDGE_CONFIG)
    assert (config.status_code, config.json()["version"]) == (200, 2)
    assert config.json()["properties"] == EVENT_BRIDGE_CONFIG["properties"]
    assert platform.get(f"{path}/config/current").json() == config.json()
    outdated = platform.call("PUT", f"{path}/config/current", json=EVENT_BRIDGE_CONFIG)
    assert outdated.status_code == 409
    enabled = platform.call("PATCH", path, json={"intendedState": "ENABLED"}).json()
    assert (enabled["intendedState"], enabled["reportedState"]["code"]) == ("ENABLED", "ACTIVE")
    assert platform.get(INTEGRATIONS).json()["total"] == 1
    assert platform.call("DELETE", path).status_code == 200
    assert platform.get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {"integrationType": {"id": "something-else"}}),
        ("PUT", "/{id}/config/current", {"version": 1, "properties": {}}),
        ("PATCH", "/{id}", {"intendedState": "SLEEPING"}),
    ],
)
def test_a_bad_integration_is_refused(
    platform: Platform, method: str, path: str, body: dict[str, Any]
) -> None:
    identity = platform.post(INTEGRATIONS, KIND).json()["id"]
    where = INTEGRATIONS + path.replace("{id}", identity)
    assert platform.call(method, where, json=body).status_code == 400


def test_a_trigger_is_made_listed_and_deleted(platform: Platform) -> None:
    made = platform.post(TRIGGERS, TRIGGER).json()
    assert TRIGGER.items() <= made.items()
    assert platform.get(TRIGGERS).json()["entities"] == [made]
    assert platform.get(f"{TRIGGERS}/{made['id']}").json() == made
    assert TRIGGER["topicName"] in platform.get(f"{TRIGGERS}/topics").json()["entities"]
    assert platform.call("DELETE", f"{TRIGGERS}/{made['id']}").status_code == 204
    assert platform.get(TRIGGERS).json()["entities"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"topicName": "v2.everything"},
        {"target": {"type": "Lambda", "id": "x"}},
        {"eventTTLSeconds": 10, "delayBySeconds": 60},
    ],
)
def test_a_bad_trigger_is_refused(platform: Platform, changes: dict[str, Any]) -> None:
    answer = platform.post(TRIGGERS, TRIGGER | changes)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["fieldName"] in changes
