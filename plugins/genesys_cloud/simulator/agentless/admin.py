"""The `/_sim/` endpoints of the agentless profile.

| endpoint                         | body                                                        |
|----------------------------------|-------------------------------------------------------------|
| `POST /_sim/conversations`       | a list of finished messages: `from`, `to`, `start`, and     |
|                                  | `channel` (sms), `status` (delivery-success), `changed`,    |
|                                  | `end`, `errorCode`, `conversationId`                        |
| `POST /_sim/conversations/open`  | `channel`, `from`, `to`: `to` is in a conversation from now |
| `POST /_sim/responses`           | a response; what is not given is filled in                  |
| `POST /_sim/dnclists`            | `name`, and `phoneNumbers` when there are any               |
| `POST /_sim/eventbridge`         | `url`, `apiKey`: where envelopes and data actions go        |
| `POST /_sim/inbound`             | `channel`, `from`, `to`, `text`: a customer writes          |
"""

from __future__ import annotations

import uuid
from typing import Any

from genesys_cloud.simulator.agentless.conversations import (
    AgentlessMessage,
    Conversation,
    Receipt,
)
from genesys_cloud.simulator.agentless.pushes import Target
from genesys_cloud.simulator.agentless.words import WORDS
from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.instants import from_iso, now_ms, to_iso
from genesys_cloud.simulator.world import World


def import_conversations(world: World, call: Call) -> Answer:
    """Take conversations as given, each with one message and without a life of its own."""
    try:
        made = [_finished(entry) for entry in call.json()]
    except (KeyError, TypeError, ValueError) as problem:
        message = f"An entry needs from, to, start and a known status: {problem!r}."
        raise ApiError(400, "bad.request", message) from None
    for conversation, only in made:
        world.platform.conversations.add(conversation)
        world.platform.conversations.add_message(only, conversation)
        conversation.error_code = only.receipts[-1].error_code
    return json_answer(201, {"imported": len(made)})


def open_conversation(world: World, call: Call) -> Answer:
    """Have an address be in a conversation from now on."""
    channel, sender, recipient = _texts(call, "channel", "from", "to")
    known = world.platform.conversations.open(channel, sender, recipient, now_ms())
    return json_answer(201, {"conversationId": known.id})


def add_response(world: World, call: Call) -> Answer:
    """Add a response, or put one in place of another."""
    return json_answer(201, world.platform.responses.add(call.json_object()))


def add_dnc_list(world: World, call: Call) -> Answer:
    """Make a DNC list with numbers on it."""
    body = call.json_object()
    made = world.platform.dnc_lists.create(body)
    made.add([str(each) for each in body.get("phoneNumbers", [])])
    return json_answer(201, made.shown())


def set_target(world: World, call: Call) -> Answer:
    """Say where envelopes and data actions go."""
    world.platform.outbox.target = Target(*_texts(call, "url", "apiKey"))
    return Answer(204)


def inbound(world: World, call: Call) -> Answer:
    """Have a customer write; a workflow's data action tells of it."""
    channel, sender, recipient, text = _texts(call, "channel", "from", "to", "text")
    target = world.platform.outbox.target
    if target is None:
        raise ApiError(400, "bad.request", "POST /_sim/eventbridge has not said where to push.")
    event = {
        "kind": "inbound_message",
        "id": str(uuid.uuid4()),
        "conversationId": str(uuid.uuid4()),
        "channel": channel,
        "from": sender,
        "to": recipient,
        "text": text,
        "timestamp": to_iso(now_ms()),
    }
    world.platform.outbox.inbound_message(event, target)
    return json_answer(201, event)


def _finished(entry: dict[str, Any]) -> tuple[Conversation, AgentlessMessage]:
    channel, status = entry.get("channel", "sms"), entry.get("status", "delivery-success")
    start_ms, changed = from_iso(entry["start"]), from_iso(entry.get("changed", entry["start"]))
    if status not in WORDS:
        raise ValueError(f"{status!r} is no status")
    party = "externalContactId" if channel == "webmessaging" else "toAddress"
    posted = {"toAddressMessengerType": channel, "fromAddress": entry["from"], party: entry["to"]}
    identity = entry.get("conversationId") or str(uuid.uuid4())
    conversation = Conversation(identity, start_ms, channel, entry["from"], entry["to"])
    conversation.end_ms = from_iso(entry.get("end", entry.get("changed", entry["start"])))
    message = AgentlessMessage(str(uuid.uuid4()), identity, posted, "", start_ms, status)
    message.receipts.append(Receipt(status, changed, entry.get("errorCode")))
    return conversation, message


def _texts(call: Call, *names: str) -> list[str]:
    body = call.json_object()
    if missing := [name for name in names if not isinstance(body.get(name), str)]:
        raise ApiError(400, "bad.request", f"These are missing: {', '.join(missing)}.")
    return [body[name] for name in names]


ENDPOINTS = {
    ("POST", "/_sim/conversations"): import_conversations,
    ("POST", "/_sim/conversations/open"): open_conversation,
    ("POST", "/_sim/responses"): add_response,
    ("POST", "/_sim/dnclists"): add_dnc_list,
    ("POST", "/_sim/eventbridge"): set_target,
    ("POST", "/_sim/inbound"): inbound,
}
