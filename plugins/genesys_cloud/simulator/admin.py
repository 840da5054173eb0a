"""The `/_sim/` endpoints, by which a test looks behind the API and breaks it on order.

`GET /_sim/messages` answers `{"total", "entities": [{"id", "channelType", "from", "to", "text",
"metadata", "acceptedAt", "status"}]}`: what was accepted in either profile, in that order, with
`from` and `to` as plain addresses; `?offset=&limit=` take a stretch of it. Imported messages are
not in it. One of the agentless profile also has `"profile": "agentless"`, `conversationId` and
`messagingTemplate`.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import TypeAdapter, ValidationError

from genesys_cloud.simulator.agentless import admin as agentless
from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.faults import FaultRule
from genesys_cloud.simulator.world import World

MOST = 10_000_000
_RULES = TypeAdapter(list[FaultRule])


def health(world: World, call: Call) -> Answer:
    """Answer that the simulator runs."""
    return json_answer(200, {"status": "ok"})


def show_messages(world: World, call: Call) -> Answer:
    """Answer the log of accepted messages."""
    accepted = world.messages.accepted
    offset = call.number("offset", 0, lowest=0, highest=MOST)
    limit = call.number("limit", MOST, lowest=0, highest=MOST)
    stretch = [message.as_log_entry() for message in accepted[offset : offset + limit]]
    return json_answer(200, {"total": len(accepted), "entities": stretch})


def import_messages(world: World, call: Call) -> Answer:
    """Take messages as given, with their dates and statuses and without a life of their own."""
    entities = call.json()
    try:
        return json_answer(201, {"imported": world.messages.load(entities)})
    except (KeyError, TypeError, ValueError) as problem:
        message = f"An entity needs a createdDate and a status: {problem!r}."
        raise ApiError(400, "bad.request", message) from None


def show_requests(world: World, call: Call) -> Answer:
    """Answer the requests that the API has had."""
    offset = call.number("offset", 0, lowest=0, highest=MOST)
    limit = call.number("limit", MOST, lowest=0, highest=MOST)
    return json_answer(200, world.journal.as_json(offset, limit))


def show_stats(world: World, call: Call) -> Answer:
    """Answer how far messages and events are."""
    return json_answer(200, world.stats())


def show_faults(world: World, call: Call) -> Answer:
    """Answer the rules in force, and how often each struck."""
    return json_answer(200, [fault.as_json() for fault in world.faults.armed])


def add_faults(world: World, call: Call) -> Answer:
    """Put a list of rules in force."""
    try:
        world.faults.arm(_RULES.validate_json(call.body))
    except ValidationError as problem:
        details = [
            {"errorCode": each["type"], "fieldName": ".".join(map(str, each["loc"]))}
            for each in problem.errors()
        ]
        raise ApiError(400, "bad.request", str(problem), details=details) from None
    return json_answer(201, [fault.as_json() for fault in world.faults.armed])


def clear_faults(world: World, call: Call) -> Answer:
    """Take every rule out of force."""
    world.faults.armed.clear()
    return Answer(204)


def revoke_tokens(world: World, call: Call) -> Answer:
    """Revoke every access token."""
    return json_answer(200, {"revoked": world.tokens.revoke_all()})


def reset(world: World, call: Call) -> Answer:
    """Forget everything."""
    world.reset()
    return Answer(204)


ENDPOINTS: dict[tuple[str, str], Callable[[World, Call], Answer]] = {
    ("GET", "/_sim/health"): health,
    ("GET", "/_sim/messages"): show_messages,
    ("POST", "/_sim/messages"): import_messages,
    ("GET", "/_sim/requests"): show_requests,
    ("GET", "/_sim/stats"): show_stats,
    ("GET", "/_sim/faults"): show_faults,
    ("POST", "/_sim/faults"): add_faults,
    ("DELETE", "/_sim/faults"): clear_faults,
    ("POST", "/_sim/tokens/revoke"): revoke_tokens,
    ("POST", "/_sim/reset"): reset,
    **agentless.ENDPOINTS,
}


def answer(world: World, call: Call) -> Answer:
    """Answer an admin request; raises ApiError 404 for what is not there."""
    handler = ENDPOINTS.get((call.method, call.path))
    if handler is None:
        raise ApiError(404, "not.found", f"There is no {call.method} {call.path}.")
    return handler(world, call)
