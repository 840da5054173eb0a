"""An API that lists one day: pages made beforehand, each after a wait that is the same for all.

It speaks the same contract as the simulator and does nothing else, so that a figure of exporting
is not one of the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from pathlib import Path

_PAGE = re.compile(rb"[?&]pageNumber=(\d+)")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_TOKEN = {"access_token": "benchmark", "token_type": "bearer", "expires_in": 86_400}


class _Connection(asyncio.Protocol):
    def __init__(self, pages: list[bytes], wait_s: float) -> None:
        self._pages = pages
        self._wait_s = wait_s
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        # No request has to be told from its successor: each client waits for its answer.
        self._received += data
        head, end, _ = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        self._received = b""
        found = _PAGE.search(head)
        body = self._pages[int(found[1]) - 1] if found else json.dumps(_TOKEN).encode()
        wait_s = self._wait_s if found else 0.0
        asyncio.get_running_loop().call_later(wait_s, self._answer, _HEAD % len(body) + body)

    def _answer(self, answer: bytes) -> None:
        self._transport.write(answer)  # type: ignore[attr-defined]


async def _serve(pages: list[bytes], wait_s: float, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(pages, wait_s), "127.0.0.1", port, backlog=512
    )
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--wait-ms", type=float, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    lines = given.pages.read_bytes().splitlines()
    asyncio.run(_serve(lines, given.wait_ms / 1_000, given.port))
