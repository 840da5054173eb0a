"""Everything the agentless profile remembers, and what moves its messages on."""

from __future__ import annotations

import hashlib
import random
import uuid
from functools import partial
from typing import Any

from genesys_cloud.simulator.agentless.conversations import (
    AgentlessMessage,
    Conversation,
    ConversationStore,
    Receipt,
    recipient_of,
)
from genesys_cloud.simulator.agentless.dnc import DncBook
from genesys_cloud.simulator.agentless.integrations import IntegrationBook
from genesys_cloud.simulator.agentless.jobs import JobBook
from genesys_cloud.simulator.agentless.open_integrations import OpenIntegrationBook
from genesys_cloud.simulator.agentless.pushes import Outbox
from genesys_cloud.simulator.agentless.responses import ResponseBook
from genesys_cloud.simulator.agentless.triggers import TriggerBook
from genesys_cloud.simulator.agentless.words import next_word
from genesys_cloud.simulator.delivery import Courier, Tally
from genesys_cloud.simulator.instants import now_ms
from genesys_cloud.simulator.lifecycle import Step, plan
from genesys_cloud.simulator.options import SimulatorOptions
from genesys_cloud.simulator.store import Logged
from genesys_cloud.simulator.timeline import Timeline

HOUR_S = 3600.0


class Platform:
    """The state behind the agentless profile's endpoints."""

    def __init__(
        self,
        options: SimulatorOptions,
        timeline: Timeline,
        courier: Courier,
        tally: Tally,
        log: list[Logged],
    ) -> None:
        self.options = options
        self._timeline = timeline
        self._log = log
        self.permissions = frozenset(options.permissions.split())
        self.conversations = ConversationStore(options.seed, options.active_share)
        self.responses = ResponseBook()
        self.dnc_lists = DncBook()
        self.open_integrations = OpenIntegrationBook()
        self.integrations = IntegrationBook()
        self.triggers = TriggerBook()
        self.jobs = JobBook(options)
        self.outbox = Outbox(timeline, courier, tally)
        self.changes_pending = 0

    def accept(self, body: dict[str, Any], active: Conversation | None) -> AgentlessMessage:
        """Take a valid message, into the active conversation if there is one."""
        at_ms, template = now_ms(), body.get("messagingTemplate")
        conversation = active or self.conversations.add(_new_conversation(body, at_ms))
        text = self.responses.text(template) if template else body["textBody"]
        message = AgentlessMessage(str(uuid.uuid4()), conversation.id, body, text, at_ms)
        self.conversations.add_message(message, conversation)
        self._log.append(message)
        later_s = slow_by(self.options, message.recipient, text)
        steps = plan(self.options, message.recipient, text, later_s=later_s)
        self.changes_pending += len(steps)
        for step in steps:
            self._timeline.after(step.at_s, partial(self._advance, message, conversation, step))
        if integration := self.open_integrations.find(body["fromAddress"]):
            self.outbox.outbound_message(integration, message)
        return message

    def _advance(self, message: AgentlessMessage, conversation: Conversation, step: Step) -> None:
        # A clock that is set back must not have a message delivered before it was sent.
        at_ms = max(now_ms(), message.changed_ms)
        word = next_word(message.status, step.status)
        self.conversations.advance(message, Receipt(word, at_ms, step.error_code))
        self.changes_pending -= 1
        if suffix := self.integrations.forwarding_suffix():
            self.outbox.status_change(conversation, suffix, step)


def slow_by(options: SimulatorOptions, address: str, text: str) -> float:
    """Return how many seconds later than usual a message's final status comes: 0, or 2 to 72 hours.

    A draw of its own, so that a share of slow ones leaves every other draw as it was.
    """
    seed = f"{options.seed}\0slow\0{address}\0{text}".encode("utf-8", "surrogatepass")
    chance = random.Random(hashlib.sha256(seed).digest())  # noqa: S311
    slow, later_s = chance.random(), chance.uniform(2 * HOUR_S, 72 * HOUR_S)
    return later_s if slow < options.slow_share else 0.0


def _new_conversation(body: dict[str, Any], at_ms: int) -> Conversation:
    channel, sender = body["toAddressMessengerType"], body["fromAddress"]
    return Conversation(str(uuid.uuid4()), at_ms, channel, sender, recipient_of(body))
