"""A webhook receiver that answers as it is told and keeps what it was sent."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

STOP_WITHOUT_ANSWER = 0


@dataclass(frozen=True)
class Received:
    """One delivery: when it came, its headers, its raw body."""

    at: float
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """Return the body as JSON."""
        return dict(json.loads(self.body))

    @property
    def status(self) -> str:
        """Return the message status that the event tells of."""
        return str(self.event["data"]["status"])


class Receiver:
    """Answers with the statuses in `answers`, one after the other, and then 200."""

    def __init__(
        self, *answers: int, port: int = 0, retry_after: str | None = None, delay_s: float = 0
    ) -> None:
        self.received: list[Received] = []
        self._answers = list(answers)
        self._retry_after = retry_after
        self._delays = [delay_s] if delay_s else []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = _server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/webhooks/genesys-messaging"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Keep a delivery and answer it."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            self.received.append(Received(time.monotonic(), dict(handler.headers), body))
            status = self._answers.pop(0) if self._answers else 200
            delay_s = self._delays.pop() if self._delays else 0
        self._released.wait(delay_s)
        if status == STOP_WITHOUT_ANSWER:
            handler.close_connection = True
            return
        handler.send_response(status)
        if self._retry_after and status != 200:
            handler.send_header("Retry-After", self._retry_after)
        handler.send_header("Content-Length", "0")
        handler.end_headers()


def _server(receiver: Receiver, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_POST(self) -> None:
            try:
                receiver.take(self)
            except ConnectionError:
                # The simulator gave up waiting, as some tests want it to.
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server
