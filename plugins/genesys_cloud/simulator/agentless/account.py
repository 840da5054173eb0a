"""What the organisation has: its limits and its responses."""

from __future__ import annotations

from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.limits import PER_TOKEN, PLATFORM
from genesys_cloud.simulator.world import World


def limits(world: World, call: Call) -> Answer:
    """Answer the limits of a namespace."""
    if call.ids[0] != PLATFORM:
        raise ApiError(404, "not.found", f"There is no namespace {call.ids[0]}.")
    entities = [
        {"key": key, "namespace": PLATFORM, "value": world.options.requests_per_minute}
        for key in (PER_TOKEN, "token.rate.per.minute")
    ]
    return json_answer(200, {"entities": entities})


def response(world: World, call: Call) -> Answer:
    """Answer one response."""
    return json_answer(200, world.platform.responses.get(call.ids[0]))
