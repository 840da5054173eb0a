"""Integrations: Amazon EventBridge, which forwards notification topics to AWS."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from genesys_cloud.simulator.agentless.pushes import METRICS_TOPIC
from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.instants import now_ms, to_iso

PATH = "/api/v2/integrations"
EVENT_BRIDGE = "amazon-eventbridge-source"
_REQUIRED = ("eventSourceSuffix", "awsAccountId", "awsAccountRegion")


@dataclass(slots=True)
class Integration:
    """An integration with the configuration that is in force."""

    id: str
    name: str
    enabled: bool = False
    version: int = 1
    properties: dict[str, Any] = field(default_factory=dict)
    notes: str = ""

    @property
    def topics(self) -> list[str]:
        """Return the topics that it forwards."""
        return list(self.properties.get("eventFilter") or ())

    def config(self) -> dict[str, Any]:
        """Return the configuration: IntegrationConfiguration."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "properties": self.properties,
            "advanced": {},
            "notes": self.notes,
            "credentials": {},
            "selfUri": f"{PATH}/{self.id}/config/current",
        }

    def shown(self) -> dict[str, Any]:
        """Return the integration as the API shows it: Integration."""
        state = "ACTIVE" if self.enabled else "INACTIVE"
        return {
            "id": self.id,
            "name": self.name,
            "integrationType": {
                "id": EVENT_BRIDGE,
                "name": "Amazon EventBridge Source",
                "selfUri": f"{PATH}/types/{EVENT_BRIDGE}",
            },
            "intendedState": "ENABLED" if self.enabled else "DISABLED",
            "config": {"current": self.config()},
            "reportedState": {"code": state, "effective": state, "lastUpdated": to_iso(now_ms())},
            "selfUri": f"{PATH}/{self.id}",
        }


class IntegrationBook:
    """The integrations, in the order in which they were made."""

    def __init__(self) -> None:
        self._integrations: dict[str, Integration] = {}

    def create(self, body: dict[str, Any]) -> Integration:
        """Keep a new integration, not enabled yet; raises ApiError 400 for another type."""
        kind = body.get("integrationType")
        if not isinstance(kind, dict) or kind.get("id") != EVENT_BRIDGE:
            raise ApiError(400, "invalid.value", f"integrationType.id is {EVENT_BRIDGE} here.")
        name = body.get("name") or "Amazon EventBridge Source"
        integration = Integration(str(uuid.uuid4()), str(name))
        self._integrations[integration.id] = integration
        return integration

    def configure(self, integration_id: str, body: dict[str, Any]) -> Integration:
        """Put a configuration in force; raises ApiError 400, 404, and 409 for an old version."""
        integration, properties = self.get(integration_id), body.get("properties")
        if body.get("version") != integration.version:
            message = f"The configuration is at version {integration.version}."
            raise ApiError(409, "version.mismatch", message)
        if not isinstance(properties, dict) or not all(properties.get(key) for key in _REQUIRED):
            raise ApiError(400, "bad.request", f"properties has {', '.join(_REQUIRED)}.")
        integration.name = str(body.get("name") or integration.name)
        integration.notes = str(body.get("notes") or "")
        integration.properties = properties
        integration.version += 1
        return integration

    def intend(self, integration_id: str, body: dict[str, Any]) -> Integration:
        """Enable or disable an integration; raises ApiError 400 and 404."""
        integration, state = self.get(integration_id), body.get("intendedState")
        if state not in ("ENABLED", "DISABLED"):
            raise ApiError(400, "invalid.value", "intendedState is ENABLED or DISABLED.")
        if state == "ENABLED" and not integration.properties:
            raise ApiError(400, "bad.request", "The integration is not configured.")
        integration.enabled = state == "ENABLED"
        return integration

    def get(self, integration_id: str) -> Integration:
        """Return an integration; raises ApiError 404."""
        if (found := self._integrations.get(integration_id)) is None:
            raise ApiError(404, "not.found", f"There is no integration {integration_id}.")
        return found

    def remove(self, integration_id: str) -> None:
        """Forget an integration; raises ApiError 404."""
        del self._integrations[self.get(integration_id).id]

    def all(self) -> list[Integration]:
        """Return every integration."""
        return list(self._integrations.values())

    def forwarding_suffix(self) -> str | None:
        """Return the event source of the integration that forwards status changes, if one does."""
        for each in self._integrations.values():
            if each.enabled and METRICS_TOPIC in each.topics:
                return str(each.properties["eventSourceSuffix"])
        return None
