"""What every API request passes: token, rate limit, faults, its handler."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from genesys_cloud.simulator import api
from genesys_cloud.simulator.exchange import DISCONNECT, Answer, ApiError, Call, error_answer
from genesys_cloud.simulator.mishaps import Attempt, carry_out
from genesys_cloud.simulator.oauth import Token, require_scope
from genesys_cloud.simulator.world import World

Handler = Callable[[World, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: what fault rules call it, what it needs, who answers it."""

    endpoint: str
    scope: str | None
    handler: Handler
    status: int = 200


def _grant(world: World, call: Call) -> Answer:
    return world.tokens.grant(call)


def _not_found(world: World, call: Call) -> Answer:
    raise ApiError(404, "not.found", f"There is no {call.method} {call.path}.")


_MESSAGES, _WEBHOOKS = "/api/v2/messaging/messages", "/api/v2/webhooks"
_WRITE, _READ, _HOOK = "messaging:messages:write", "messaging:messages:read", "webhook:write"
_NOWHERE = Route("unknown", None, _not_found)

# Keyed by method, path and whether an id follows the path.
ROUTES = {
    ("POST", "/oauth/token", False): Route("token", None, _grant),
    ("POST", _MESSAGES, False): Route("send", _WRITE, api.send_message, 201),
    ("GET", _MESSAGES, False): Route("list", _READ, api.list_messages),
    ("GET", _MESSAGES, True): Route("get", _READ, api.get_message),
    ("POST", _WEBHOOKS, False): Route("webhook", _HOOK, api.create_webhook, 201),
    ("GET", _WEBHOOKS, False): Route("webhook", _HOOK, api.list_webhooks),
    ("GET", _WEBHOOKS, True): Route("webhook", _HOOK, api.get_webhook),
    ("PUT", _WEBHOOKS, True): Route("webhook", _HOOK, api.replace_webhook),
    ("DELETE", _WEBHOOKS, True): Route("webhook", _HOOK, api.delete_webhook, 204),
}


def find_route(method: str, path: str) -> tuple[str, Route]:
    """Return what a request is counted under and its route."""
    if route := ROUTES.get((method, path, False)):
        return f"{method} {path}", route
    parent, _, tail = path.rpartition("/")
    if tail and (route := ROUTES.get((method, parent, True))):
        return f"{method} {parent}/{{id}}", route
    return "unknown", _NOWHERE


async def serve(world: World, call: Call) -> Answer:
    """Answer an API request, with the headers that every answer carries."""
    correlation_id = str(uuid.uuid4())
    label, route = find_route(call.method, call.path)
    journal = world.journal
    entry = journal.open(call.method, call.path)
    token = None
    try:
        if route.scope is not None:
            token = world.tokens.check(call)
            world.limit.take(token.value)
            require_scope(token, route.scope)
        answer = await _carry_out(world, call, route, token, correlation_id)
    except ApiError as error:
        answer = error_answer(error, correlation_id)
    if world.options.latency_ms:
        # The request has taken effect: a client that is killed while it waits does not undo it.
        await asyncio.sleep(world.options.latency_ms / 1000)
    journal.close(entry, label, answer.status)
    if answer is DISCONNECT:
        return answer
    rate = world.limit.headers(token.value if token else None)
    correlation = (b"inin-correlation-id", correlation_id.encode())
    return replace(answer, headers=(*answer.headers, *rate, correlation))


async def _carry_out(
    world: World, call: Call, route: Route, token: Token | None, correlation_id: str
) -> Answer:
    succeed = partial(route.handler, world, call)
    rule = world.faults.pick(route.endpoint, call)
    if rule is None:
        return succeed()
    revoke = partial(world.tokens.revoke, token)
    return await carry_out(rule, Attempt(succeed, revoke, route.status, correlation_id))
