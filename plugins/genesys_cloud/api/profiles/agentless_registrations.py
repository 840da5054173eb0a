"""The three registrations by which the real platform can be told to push to us.

Sources: the official SDK's models OpenIntegrationRequest, IntegrationConfiguration and
CreateTriggerRequest, and the EventBridge module of GenesysCloudDevOps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from genesys_cloud.api.profiles.agentless_events import METRICS_TOPIC
from genesys_cloud.api.profiles.fields import entities, has_more, identifier, mapping, text
from genesys_cloud.errors import PagingError

OPEN = "/api/v2/conversations/messaging/integrations/open"
INTEGRATIONS = "/api/v2/integrations"
TRIGGERS = "/api/v2/processautomation/triggers"

OPEN_PERMISSIONS = "messaging:integration"
INTEGRATION_PERMISSIONS = "integrations:integration"
TRIGGER_PERMISSIONS = "processautomation:trigger"
"""Followed by :view, :add and :edit."""

PAGE_SIZE = 100
EVENT_BRIDGE = "amazon-eventbridge-source"
TOPICS = (METRICS_TOPIC,)
"""What EventBridge forwards: the only topic with a delivery status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A registration as the API lists it."""

    id: str
    name: str | None
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPage:
    """One page of registrations; `next_path` is where a list without numbers goes on."""

    entities: Sequence[Entity]
    has_more: bool
    next_path: str | None = None

    @property
    def ids(self) -> Sequence[str]:
        """The ids on the page."""
        return [entity.id for entity in self.entities]


def parse_page(body: object, what: str) -> EntityPage:
    """Return a page; raises PagingError for what is none."""
    found = [parse_entity(each) for each in entities(body, what)]
    fields = mapping(body)
    following = fields.get("nextUri")
    number, count = fields.get("pageNumber"), fields.get("pageCount")
    if isinstance(number, int) and isinstance(count, int):
        more = number < count
    else:
        more = has_more(body, len(found), PAGE_SIZE)
    return EntityPage(
        entities=found, has_more=bool(following) or more, next_path=_path(text(following, 2_000))
    )


def _path(uri: str | None) -> str | None:
    """Return path and query of an address, which may be given with its host."""
    if uri is None:
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise PagingError("The answer holds a next page that is no address") from None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def parse_entity(body: object) -> Entity:
    """Return a registration; raises PagingError for one without an id."""
    fields = mapping(body)
    entity_id = identifier(fields.get("id"))
    if entity_id is None:
        raise PagingError("The answer holds a registration without an id")
    return Entity(id=entity_id, name=text(fields.get("name")), fields=fields)


def page_path(path: str, number: int) -> str:
    """Return path and query of one numbered page."""
    kind = f"&integrationType={EVENT_BRIDGE}" if path == INTEGRATIONS else ""
    return f"{path}?pageSize={PAGE_SIZE}&pageNumber={number}{kind}"


def entity_path(path: str, entity_id: str) -> str:
    """Return the path of one registration."""
    return f"{path}/{quote(entity_id, safe='')}"


def config_path(integration_id: str) -> str:
    """Return the path of an integration's configuration."""
    return f"{entity_path(INTEGRATIONS, integration_id)}/config/current"


def open_body(name: str, url: str, secret: str) -> dict[str, Any]:
    """Return an Open Messaging integration whose messages go to `url`."""
    return {
        "name": name,
        "outboundNotificationWebhookUrl": url,
        "outboundNotificationWebhookSignatureSecretToken": secret,
    }


def open_url(entity: Entity) -> str | None:
    """Return where an Open Messaging integration's messages go, None for another registration."""
    return text(entity.fields.get("outboundNotificationWebhookUrl"), 2_000)


def integration_body(name: str) -> dict[str, Any]:
    """Return an EventBridge integration, which is configured afterwards."""
    return {"name": name, "integrationType": {"id": EVENT_BRIDGE}}


def is_event_bridge(entity: Entity) -> bool:
    """Return whether an integration is one of EventBridge."""
    return mapping(entity.fields.get("integrationType")).get("id") == EVENT_BRIDGE


def is_enabled(entity: Entity) -> bool:
    """Return whether an integration is meant to run."""
    return entity.fields.get("intendedState") == "ENABLED"


def pushes(entity: Entity) -> bool:
    """Return whether a registration of any kind is on; an open integration always is."""
    fields = entity.fields
    return (
        fields.get("intendedState", "ENABLED") == "ENABLED" and fields.get("enabled", True) is True
    )


ENABLED = {"intendedState": "ENABLED"}


def config_body(
    current: object, name: str, *, account_id: str, region: str, suffix: str
) -> dict[str, Any] | None:
    """Return the configuration to put in place of the current one, None where that one will do.

    Topics that somebody else has added stay.
    """
    known = mapping(current)
    properties = mapping(known.get("properties"))
    given = properties.get("eventFilter")
    topics = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    wanted = {
        **properties,
        "eventSourceSuffix": suffix,
        "awsAccountId": account_id,
        "awsAccountRegion": region,
        "eventFilter": [*topics, *(topic for topic in TOPICS if topic not in topics)],
    }
    if wanted == properties and known.get("name") == name:
        return None
    return {
        "name": name,
        "version": known.get("version"),
        "properties": wanted,
        "advanced": mapping(known.get("advanced")),
        "notes": text(known.get("notes"), 2_000) or "",
        "credentials": mapping(known.get("credentials")),
    }


def trigger_body(name: str, topic: str, workflow_id: str) -> dict[str, Any]:
    """Return a trigger that starts a workflow at each event of a topic."""
    return {
        "name": name,
        "topicName": topic,
        "enabled": True,
        "target": {
            "type": "Workflow",
            "id": workflow_id,
            "workflowTargetSettings": {"dataFormat": "Json"},
        },
        "matchCriteria": [],
    }


def trigger_topic(entity: Entity) -> object:
    """Return the topic of a trigger, which nobody can change."""
    return entity.fields.get("topicName")


def trigger_update(entity: Entity, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the body that makes a trigger what `body` says, None where it is that already.

    What else somebody has set, such as criteria, stays.
    """
    fields = entity.fields
    target = mapping(fields.get("target"))
    same = target.get("id") == body["target"]["id"] and fields.get("enabled") is True
    if same:
        return None
    kept = ("matchCriteria", "eventTTLSeconds", "delayBySeconds", "description")
    return {
        **body,
        **{name: fields[name] for name in kept if fields.get(name) is not None},
        "version": fields.get("version"),
    }
