"""The conversations API: the send, and what became of it."""

from __future__ import annotations

from genesys_cloud.simulator.agentless import shapes
from genesys_cloud.simulator.agentless.channels import check
from genesys_cloud.simulator.agentless.conversations import AgentlessMessage
from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.instants import now_ms
from genesys_cloud.simulator.world import World

MOST_IDS = 1000
ACTIVE = "An active conversation is already in progress"


def send(world: World, call: Call) -> Answer:
    """Accept an agentless message, or refuse it with everything that is wrong."""
    platform, body = world.platform, call.json_object()
    check(body, platform.responses)
    active = platform.conversations.active(body, now_ms())
    if active and not body.get("useExistingActiveConversation", False):
        status = world.options.active_status
        raise ApiError(status, "bad.request" if status == 400 else "conflict", ACTIVE)
    message = platform.accept(body, active)
    deprecated = world.options.deprecated_fields
    return json_answer(202, shapes.accepted(message, deprecated=deprecated))


def details(world: World, call: Call) -> Answer:
    """Answer one message."""
    return json_answer(200, _shown(world, _message(world, call.ids[0])))


def in_conversation(world: World, call: Call) -> Answer:
    """Answer one message of a conversation."""
    conversation_id, message_id = call.ids
    message = _message(world, message_id)
    if message.conversation_id != conversation_id:
        raise _unknown("message", message_id)
    return json_answer(200, _shown(world, message))


def bulk(world: World, call: Call) -> Answer:
    """Answer the messages of one conversation that are asked for, leaving out unknown ones."""
    ids, conversation_id = call.json(), call.ids[0]
    if world.platform.conversations.get(conversation_id) is None:
        raise _unknown("conversation", conversation_id)
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise ApiError(400, "bad.request", "The request body is not a list of message ids.")
    if len(ids) > MOST_IDS:
        raise ApiError(400, "bad.request", f"At most {MOST_IDS} messages can be asked for.")
    known = (world.platform.conversations.message(each) for each in ids)
    found = [each for each in known if each and each.conversation_id == conversation_id]
    return json_answer(200, {"entities": [_shown(world, each) for each in found]})


def conversation(world: World, call: Call) -> Answer:
    """Answer one conversation."""
    if (known := world.platform.conversations.get(call.ids[0])) is None:
        raise _unknown("conversation", call.ids[0])
    return json_answer(200, shapes.conversation(known))


def _message(world: World, message_id: str) -> AgentlessMessage:
    if (message := world.platform.conversations.message(message_id)) is None:
        raise _unknown("message", message_id)
    return message


def _shown(world: World, message: AgentlessMessage) -> dict[str, object]:
    return shapes.message_data(message, deprecated=world.options.deprecated_fields)


def _unknown(what: str, identity: str) -> ApiError:
    return ApiError(404, "not.found", f"There is no {what} {identity}.")
