"""Process automation triggers: which topics start which workflow."""

from __future__ import annotations

import uuid
from typing import Any

from genesys_cloud.simulator.exchange import ApiError

PATH = "/api/v2/processautomation/triggers"
TOPICS = (
    "v2.detail.events.conversation.{id}.customer.start",
    "v2.detail.events.conversation.{id}.customer.end",
    "v2.detail.events.conversation.{id}.outbound",
    "v2.outbound.messaging.campaigns.contact.postContact",
    "v2.webmessaging.deployments.{id}.undelivered.messages",
)
_OPTIONAL = ("matchCriteria", "eventTTLSeconds", "delayBySeconds", "description")


class TriggerBook:
    """The triggers, in the order in which they were made."""

    def __init__(self) -> None:
        self._triggers: dict[str, dict[str, Any]] = {}

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Keep a trigger; raises ApiError 400 for a bad body."""
        target = body.get("target")
        checks = {
            "name": isinstance(body.get("name"), str) and bool(body["name"].strip()),
            "topicName": body.get("topicName") in TOPICS,
            "target": isinstance(target, dict)
            and target.get("type") == "Workflow"
            and isinstance(target.get("id"), str),
            "eventTTLSeconds": not ("eventTTLSeconds" in body and "delayBySeconds" in body),
        }
        if problems := [name for name, good in checks.items() if not good]:
            details = [{"errorCode": "invalid.value", "fieldName": name} for name in problems]
            message = f"The trigger is not valid: {', '.join(problems)}."
            raise ApiError(400, "bad.request", message, details=details)
        identity = str(uuid.uuid4())
        trigger = {
            "id": identity,
            "name": body["name"],
            "topicName": body["topicName"],
            "target": target,
            "version": 1,
            "enabled": bool(body.get("enabled", False)),
            "selfUri": f"{PATH}/{identity}",
        } | {key: body[key] for key in _OPTIONAL if key in body}
        self._triggers[identity] = trigger
        return trigger

    def get(self, trigger_id: str) -> dict[str, Any]:
        """Return a trigger; raises ApiError 404."""
        if (found := self._triggers.get(trigger_id)) is None:
            raise ApiError(404, "not.found", f"There is no trigger {trigger_id}.")
        return found

    def remove(self, trigger_id: str) -> None:
        """Forget a trigger; raises ApiError 404."""
        del self._triggers[self.get(trigger_id)["id"]]

    def all(self) -> list[dict[str, Any]]:
        """Return every trigger."""
        return list(self._triggers.values())
