"""What the platform pushes: status changes, open messages, messages from customers.

There is no AWS here, so the admin API says where EventBridge would have an API destination post.
An API destination can not sign; it sends a key in a header.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from genesys_cloud.simulator.agentless.conversations import AgentlessMessage, Conversation
from genesys_cloud.simulator.agentless.open_integrations import OpenIntegration
from genesys_cloud.simulator.agentless.shapes import PROVIDER
from genesys_cloud.simulator.agentless.words import WORDS
from genesys_cloud.simulator.delivery import Courier, Push, Tally, sign
from genesys_cloud.simulator.instants import now_ms, to_iso
from genesys_cloud.simulator.lifecycle import Step
from genesys_cloud.simulator.timeline import Timeline

ORGANISATION = "3f5c1f6e-7a55-4d0c-9d4f-2f6f1c9b7a10"
ACCOUNT, REGION = "123456789012", "us-east-1"
METRICS_TOPIC = "v2.analytics.conversation.{id}.metrics"
_METRICS = {"failed": "nError", "delivery-failed": "nError", "sent": "nOutboundAttempted"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where envelopes and data actions go, and the key that they carry."""

    url: str
    api_key: str

    @property
    def headers(self) -> dict[str, str]:
        """Return what proves where a request is from."""
        return {"x-api-key": self.api_key}


class Outbox:
    """Hands events to the courier when they are due."""

    def __init__(self, timeline: Timeline, courier: Courier, tally: Tally) -> None:
        self._timeline = timeline
        self._courier = courier
        self._tally = tally
        self.target: Target | None = None

    def status_change(self, conversation: Conversation, suffix: str, step: Step) -> None:
        """Push the metrics record of a conversation whose status has just changed."""
        if self.target is not None:
            body = _encode(_envelope(conversation, suffix))
            delays = tuple(at_s - step.at_s for at_s in step.pushed_at_s)
            self._push(Push(self.target.url, body, self.target.headers, self._tally), delays)

    def outbound_message(self, integration: OpenIntegration, message: AgentlessMessage) -> None:
        """Push an open message to the webhook that carries it."""
        body = _encode(_open_message(integration, message))
        headers = {"x-hub-signature-256": sign(integration.secret, body)}
        headers |= integration.shown.get("webhookHeaders") or {}
        self._push(Push(integration.url, body, headers, self._tally, even_gaps=True))

    def inbound_message(self, event: dict[str, Any], target: Target) -> None:
        """Push what a customer wrote, as a data action of a workflow does."""
        self._push(Push(target.url, _encode(event), target.headers, self._tally))

    def _push(self, push: Push, delays_s: tuple[float, ...] = (0.0,)) -> None:
        for delay_s in delays_s:
            self._tally.pending += 1
            self._timeline.after(delay_s, partial(self._courier.send, push))


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _envelope(conversation: Conversation, suffix: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": METRICS_TOPIC,
        "source": f"aws.partner/genesys.com/cloud/{ORGANISATION}/{suffix}",
        "account": ACCOUNT,
        "time": to_iso(now_ms())[:19] + "Z",
        "region": REGION,
        "resources": [],
        "detail": {
            "topicName": METRICS_TOPIC.replace("{id}", conversation.id),
            "version": "2",
            "eventBody": _metric_record(conversation),
            "metadata": {"CorrelationId": str(uuid.uuid4())},
            "timestamp": to_iso(now_ms()),
        },
    }


def _metric_record(conversation: Conversation) -> dict[str, Any]:
    status = conversation.status or "queued"
    record = {
        "metric": _METRICS.get(status, "nOutboundConnected"),
        "metricDate": to_iso(conversation.status_ms),
        "value": 1,
        "recordId": str(uuid.uuid4()),
        "addressFrom": conversation.sender,
        "conversationId": conversation.id,
        "conversationInitiator": conversation.initiator,
        "deliveryStatus": WORDS[status].analytics,
        "direction": "outbound",
        "mediaType": "message",
        "messageType": conversation.channel,
        "originatingDirection": conversation.direction,
        "provider": PROVIDER,
        "purpose": "api",
        "sessionId": conversation.part("api session"),
    }
    party = "externalContactId" if conversation.channel == "webmessaging" else "addressTo"
    record[party] = conversation.recipient
    if conversation.error_code:
        record["errorCode"] = conversation.error_code
    return record


def _open_message(integration: OpenIntegration, message: AgentlessMessage) -> dict[str, Any]:
    party = {"id": integration.id, "idType": "Opaque", "nickName": integration.shown["name"]}
    return {
        "id": message.id,
        "channel": {
            "id": integration.id,
            "messageId": message.id,
            "platform": "Open",
            "type": "Private",
            "to": {"id": message.recipient, "idType": "Opaque"},
            "from": party,
            "time": to_iso(message.accepted_ms),
        },
        "conversationId": message.conversation_id,
        "direction": "Outbound",
        "originatingEntity": "Human",
        "type": "Text",
        "text": message.text,
        "content": [],
        "reasons": [],
        "relatedMessages": [],
    }
