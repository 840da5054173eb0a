"""A server that misbehaves on the wire in ways that no HTTP framework lets one."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import BinaryIO, Self


@dataclass(frozen=True)
class Seen:
    """A request that arrived: its first line's parts, headers with lower-case names, body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Behaviour = Callable[[socket.socket, Seen], None]


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP answer; underscores in header names become hyphens."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + body


def says(*answers: bytes) -> Behaviour:
    """Answer with these bytes, one after the other, the last one for ever."""
    left = list(answers)

    def behave(connection: socket.socket, seen: Seen) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return behave


class HangUpError(Exception):
    """Ends a connection."""


def resets(connection: socket.socket, seen: Seen) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HangUpError


def closes(connection: socket.socket, seen: Seen) -> None:
    """Close the connection without a word."""
    raise HangUpError


def then_closes(answer: bytes) -> Behaviour:
    """Answer with these bytes and close the connection."""

    def behave(connection: socket.socket, seen: Seen) -> None:
        connection.sendall(answer)
        raise HangUpError

    return behave


TOKEN = http(200, json.dumps({"access_token": "wire-token", "expires_in": 3599}).encode())


class WireServer:
    """Gives out tokens, and hands every other request to `behave`; keeps what it has seen."""

    def __init__(
        self,
        behave: Behaviour,
        *,
        login: Behaviour | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._behave = behave
        self._login = login or says(TOKEN)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[Seen] = []
        self.logins: list[Seen] = []
        self.closed = 0
        self._tls = tls
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in (self._listener, *self._open):
            # A shutdown wakes the thread that waits for the socket; a close alone does not.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return len(self._open)

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._start(partial(self._serve, connection, len(self._open)))

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open[number - 1] = connection
            with connection, connection.makefile("rb") as stream:
                while first := stream.readline():
                    seen = _read(first, stream, number)
                    logs_in = seen.target.endswith("/oauth/token")
                    (self.logins if logs_in else self.requests).append(seen)
                    (self._login if logs_in else self._behave)(connection, seen)
        except (OSError, ValueError, HangUpError):
            return
        finally:
            self.closed += 1


def _read(first: bytes, stream: BinaryIO, number: int) -> Seen:
    method, target, _ = first.decode("latin-1").split(" ", 2)
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Seen(method, target, headers, body, number)
