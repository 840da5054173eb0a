"""The ASGI application: reads a request, has it answered, writes the answer.

It is plain ASGI and not a framework's, because the send path is what benchmarks lean on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from genesys_cloud.simulator import admin, gateway
from genesys_cloud.simulator.exchange import DISCONNECT, Answer, ApiError, Call, error_answer
from genesys_cloud.simulator.options import SimulatorOptions
from genesys_cloud.simulator.world import World

DISCONNECT_EXTENSION = "simulator.disconnect"


def create_app(options: SimulatorOptions | None = None) -> ASGIApp:
    """Return a simulator with a state of its own."""
    return _Application(World(options or SimulatorOptions()))


class _Application:
    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._world.courier.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._world.timeline.clear()
        await self._world.courier.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(
            scope["method"],
            scope["path"],
            scope["query_string"],
            dict(scope["headers"]),
            await _read(receive),
        )
        answer = await self._answer(call)
        if answer is not DISCONNECT:
            await _write(send, answer)
        if answer is DISCONNECT or answer.breaks_off:
            await _disconnect(scope, receive)

    async def _answer(self, call: Call) -> Answer:
        if not call.path.startswith("/_sim/"):
            return await gateway.serve(self._world, call)
        try:
            return admin.answer(self._world, call)
        except ApiError as error:
            return error_answer(error, str(uuid.uuid4()))


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def _write(send: Send, answer: Answer) -> None:
    headers: list[tuple[bytes, bytes]] = list(answer.headers)
    if answer.status != 204:
        length = len(answer.body) + answer.breaks_off
        headers.append((b"content-length", b"%d" % length))
        headers.append((b"content-type", answer.media_type))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    more = {"more_body": answer.breaks_off}
    await send({"type": "http.response.body", "body": answer.body} | more)


async def _disconnect(scope: Scope, receive: Receive) -> None:
    extensions: dict[str, Callable[[], Any]] = scope.get("extensions") or {}
    if DISCONNECT_EXTENSION not in extensions:
        raise ConnectionAbortedError("this server can not close a connection on order")
    extensions[DISCONNECT_EXTENSION]()
    # Returning before the server has noticed would have it answer 500.
    while (await receive())["type"] != "http.disconnect":
        pass
