"""What every API request passes: token, rate limit, faults, its handler."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from functools import partial

from genesys_cloud.simulator import api
from genesys_cloud.simulator.agentless.routes import ROUTES as AGENTLESS
from genesys_cloud.simulator.exchange import DISCONNECT, Answer, ApiError, Call, error_answer
from genesys_cloud.simulator.mishaps import Attempt, carry_out
from genesys_cloud.simulator.oauth import Token, require_scope
from genesys_cloud.simulator.routing import Needs, Route, RouteTable
from genesys_cloud.simulator.world import World


def _grant(world: World, call: Call) -> Answer:
    return world.tokens.grant(call)


def _scope(name: str) -> Needs:
    def needs(world: World, token: Token) -> None:
        require_scope(token, name)

    return needs


_MESSAGES, _WEBHOOKS = "/api/v2/messaging/messages", "/api/v2/webhooks"
_WRITE, _READ = _scope("messaging:messages:write"), _scope("messaging:messages:read")
_HOOK = _scope("webhook:write")

_TOKEN = {"POST /oauth/token": Route("token", None, _grant)}
_MESSAGING = {
    f"POST {_MESSAGES}": Route("send", _WRITE, api.send_message, 201),
    f"GET {_MESSAGES}": Route("list", _READ, api.list_messages),
    f"GET {_MESSAGES}/{{id}}": Route("get", _READ, api.get_message),
    f"POST {_WEBHOOKS}": Route("webhook", _HOOK, api.create_webhook, 201),
    f"GET {_WEBHOOKS}": Route("webhook", _HOOK, api.list_webhooks),
    f"GET {_WEBHOOKS}/{{id}}": Route("webhook", _HOOK, api.get_webhook),
    f"PUT {_WEBHOOKS}/{{id}}": Route("webhook", _HOOK, api.replace_webhook),
    f"DELETE {_WEBHOOKS}/{{id}}": Route("webhook", _HOOK, api.delete_webhook, 204),
}

# Keyed by the option `profiles`.
TABLES = {
    "messaging": RouteTable(_TOKEN | _MESSAGING),
    "agentless": RouteTable(_TOKEN | AGENTLESS),
    "both": RouteTable(_TOKEN | _MESSAGING | AGENTLESS),
}


async def serve(world: World, call: Call) -> Answer:
    """Answer an API request, with the headers that every answer carries."""
    correlation_id = str(uuid.uuid4())
    label, route, ids = TABLES[world.options.profiles].find(call.method, call.path)
    if ids:
        call = replace(call, ids=ids)
    journal = world.journal
    entry = journal.open(call.method, call.path)
    token = None
    try:
        if route.needs is not None:
            token = world.tokens.check(call)
            world.limit.take(token.value)
            route.needs(world, token)
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
