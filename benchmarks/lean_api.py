"""An API without latency: takes every message at once, and logs what it took and when.

It speaks the same contract as the simulator and does nothing else, so that a figure of sending
is not one of the server. `GET /log` returns the log since it was last asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from itertools import count

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TOKEN = {"access_token": "benchmark", "token_type": "bearer", "expires_in": 86_400}


class _Api:
    """The state that all connections share."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._log: list[tuple[str, float]] = []

    def answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"POST /api/v2/messaging/messages"):
            return self._accept(json.loads(body))
        if head.startswith(b"POST /oauth/token"):
            return _json(200, _TOKEN)
        if head.startswith(b"GET /log"):
            taken, self._log = self._log, []
            return _json(200, taken)
        return _json(404, {"code": "not.found", "message": "not here"})

    def _accept(self, message: dict[str, dict[str, str]]) -> bytes:
        self._log.append((message["metadata"]["messageKey"], time.time()))
        body = {
            "id": f"lean-{next(self._ids)}",
            "channelType": message["channelType"],
            "status": "queued",
            "createdDate": "2026-01-01T00:00:00.000Z",
        }
        return _json(201, body)


class _Connection(asyncio.Protocol):
    def __init__(self, api: _Api) -> None:
        self._api = api
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._whole_request()) is not None:
            self._transport.write(self._api.answer(*request))  # type: ignore[attr-defined]

    def _whole_request(self) -> tuple[bytes, bytes] | None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        named = _LENGTH.search(head)
        length = int(named[1]) if named else 0
        if not end or len(rest) < length:
            return None
        self._received = rest[length:]
        return head, rest[:length]


def _json(status: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def _serve(port: int) -> None:
    api = _Api()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(api), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args().port))
