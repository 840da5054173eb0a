"""Open Messaging integrations: the webhooks that carry open messages to their recipients."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.instants import now_ms, to_iso
from genesys_cloud.simulator.webhooks import is_http

PATH = "/api/v2/conversations/messaging/integrations/open"
SHORTEST_SECRET = 16
_URL, _SECRET = "outboundNotificationWebhookUrl", "outboundNotificationWebhookSignatureSecretToken"


@dataclass(frozen=True, slots=True)
class OpenIntegration:
    """An integration: the body as it is shown, and the secret that never is."""

    id: str
    shown: dict[str, Any]
    secret: str

    @property
    def url(self) -> str:
        """Return where messages go."""
        return str(self.shown[_URL])


class OpenIntegrationBook:
    """The integrations, in the order in which they were made."""

    def __init__(self) -> None:
        self._integrations: dict[str, OpenIntegration] = {}

    def create(self, body: dict[str, Any]) -> OpenIntegration:
        """Keep a new integration; raises ApiError 400 for a bad body."""
        return self._keep(str(uuid.uuid4()), {"dateCreated": to_iso(now_ms())}, body)

    def change(self, integration_id: str, body: dict[str, Any]) -> OpenIntegration:
        """Change the fields that are given; raises ApiError 400 and 404."""
        known = self.get(integration_id)
        return self._keep(known.id, known.shown, {_SECRET: known.secret} | known.shown | body)

    def get(self, integration_id: str) -> OpenIntegration:
        """Return an integration; raises ApiError 404."""
        if (found := self._integrations.get(integration_id)) is None:
            raise ApiError(404, "not.found", f"There is no open integration {integration_id}.")
        return found

    def find(self, integration_id: str) -> OpenIntegration | None:
        """Return an integration if there is one of that id."""
        return self._integrations.get(integration_id)

    def remove(self, integration_id: str) -> None:
        """Forget an integration; raises ApiError 404."""
        del self._integrations[self.get(integration_id).id]

    def all(self) -> list[OpenIntegration]:
        """Return every integration."""
        return list(self._integrations.values())

    def _keep(self, identity: str, before: dict[str, Any], body: dict[str, Any]) -> OpenIntegration:
        _check(body)
        shown = {
            "id": identity,
            "name": body["name"],
            _URL: body[_URL],
            "webhookHeaders": body.get("webhookHeaders") or {},
            "status": "Active",
            "createStatus": "Completed",
            "dateCreated": before["dateCreated"],
            "dateModified": to_iso(now_ms()),
            "selfUri": f"{PATH}/{identity}",
        }
        references = {
            key: body[key] for key in ("supportedContent", "messagingSetting") if key in body
        }
        integration = OpenIntegration(identity, shown | references, body[_SECRET])
        self._integrations[identity] = integration
        return integration


def _check(body: dict[str, Any]) -> None:
    name, url, secret = body.get("name"), body.get(_URL), body.get(_SECRET)
    headers = body.get("webhookHeaders") or {}
    checks = {
        "name": isinstance(name, str) and bool(name.strip()),
        _URL: isinstance(url, str) and is_http(url),
        _SECRET: isinstance(secret, str) and len(secret) >= SHORTEST_SECRET,
        "webhookHeaders": isinstance(headers, dict)
        and all(isinstance(each, str) for each in headers.values()),
    }
    if problems := [field for field, good in checks.items() if not good]:
        details = [{"errorCode": "invalid.value", "fieldName": field} for field in problems]
        message = f"The integration is not valid: {', '.join(problems)}."
        raise ApiError(400, "bad.request", message, details=details)
