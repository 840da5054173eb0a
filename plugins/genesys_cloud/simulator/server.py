"""Serves the simulator over HTTP on one port."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from genesys_cloud.simulator.app import DISCONNECT_EXTENSION, create_app
from genesys_cloud.simulator.options import SimulatorOptions


def run(options: SimulatorOptions) -> None:
    """Serve until SIGTERM or SIGINT; raises OSError when the port is taken."""
    with socket.create_server((options.host, options.port), backlog=2048) as listener:
        config = uvicorn.Config(
            create_app(options),
            http=_DroppingProtocol,
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
        handlers = {sig: signal.signal(sig, _noted) for sig in (signal.SIGTERM, signal.SIGINT)}
        try:
            _Server(config).run(sockets=[listener])
        finally:
            for sig, handler in handlers.items():
                signal.signal(sig, handler)


def _noted(*_: Any) -> None:
    """Do nothing: uvicorn raises a signal again once it has stopped, and that is no failure."""


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            print(f"simulator listens on http://{host}:{port}", flush=True)


class _DroppingProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Lets the application close the connection without an answer.

    ASGI has no message for that, so each connection hands its application a way to the transport.
    """

    app: ASGIApp

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        application = self.app

        async def with_disconnect(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {DISCONNECT_EXTENSION: transport.close}
            await application(scope, receive, send)

        self.app = with_disconnect
