"""Everything the simulator remembers, in one place that can be emptied."""

from __future__ import annotations

import json
import uuid
from functools import partial
from typing import Any

from genesys_cloud.simulator.agentless.state import Platform
from genesys_cloud.simulator.delivery import Courier, Push, Tally, sign
from genesys_cloud.simulator.faults import FaultBook
from genesys_cloud.simulator.instants import now_ms, to_iso
from genesys_cloud.simulator.journal import Journal
from genesys_cloud.simulator.lifecycle import Step, plan
from genesys_cloud.simulator.limits import RateLimit
from genesys_cloud.simulator.oauth import TokenOffice
from genesys_cloud.simulator.options import SimulatorOptions
from genesys_cloud.simulator.store import Message, MessageStore
from genesys_cloud.simulator.timeline import Timeline
from genesys_cloud.simulator.webhooks import EVENT, WebhookBook


class World:
    """The state behind the API, and what moves it on as time passes."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options
        self.timeline = Timeline()
        self.courier = Courier(options, self.timeline)
        self.pushes = Tally()
        self.reset()

    def reset(self) -> None:
        """Forget everything: messages, tokens, webhooks, faults, requests, what is due."""
        self.timeline.clear()
        self.courier.clear()
        self.tokens = TokenOffice(self.options)
        self.limit = RateLimit(self.options.requests_per_minute, self.options.rate_window_s)
        self.messages = MessageStore()
        self.webhooks = WebhookBook()
        self.faults = FaultBook(self.options.seed)
        self.journal = Journal()
        # A push that is under way keeps the tally it began with, so it does not count here.
        self.pushes.closed = True
        self.pushes = Tally()
        self.changes_pending = 0
        self.platform = Platform(
            self.options, self.timeline, self.courier, self.pushes, self.messages.accepted
        )

    def accept(self, payload: dict[str, Any]) -> Message:
        """Take a valid message and begin its life."""
        message = self.messages.accept(payload, now_ms())
        steps = plan(self.options, message.recipient, message.text)
        self.changes_pending += len(steps)
        for step in steps:
            self.timeline.after(step.at_s, partial(self._advance, message, step))
        return message

    def stats(self) -> dict[str, Any]:
        """Return the counts that say how far everything is, in either profile."""
        agentless = self.platform.conversations
        by_status = self.messages.count_by_status()
        return {
            "messages": len(self.messages) + len(agentless),
            "byStatus": {key: n + agentless.counts[key] for key, n in by_status.items()},
            "changesPending": self.changes_pending + self.platform.changes_pending,
            "eventsDelivered": self.pushes.delivered,
            "eventsPending": self.pushes.pending,
            "eventsFailed": self.pushes.failed,
        }

    def _advance(self, message: Message, step: Step) -> None:
        # A clock that is set back must not have a message delivered before it was sent.
        at_ms = message.changed_ms = max(now_ms(), message.changed_ms)
        self.messages.advance(message, step.status, at_ms, step.error_code)
        self.changes_pending -= 1
        body = _event(message, step.status, at_ms)
        for webhook in self.webhooks.all():
            if webhook.wants_events:
                self._push(webhook.url, webhook.secret or self.options.webhook_secret, step, body)

    def _push(self, url: str, secret: str, step: Step, body: bytes) -> None:
        headers = {"x-hub-signature-256": sign(secret, body)}
        push = Push(url, body, headers, self.pushes)
        for pushed_at_s in step.pushed_at_s:
            self.pushes.pending += 1
            self.timeline.after(pushed_at_s - step.at_s, partial(self.courier.send, push))


def _event(message: Message, status: str, at_ms: int) -> bytes:
    data = {"messageId": message.entity["id"], "status": status, "timestamp": to_iso(at_ms)}
    event = {"id": f"evt_{uuid.uuid4().hex}", "type": EVENT, "data": data}
    return json.dumps(event).encode()
