"""Signed status events, and a sender that keeps many requests in flight.

The sender shares the processors with the receiver that it measures, so it does as little as it can:
requests are made and signed before the clock starts, and one loop over plain sockets sends them.
"""

from __future__ import annotations

import random
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from genesys_cloud.webhook.signature import HEADER, sign
from tests.webhook.receiver import SECRET, event_body

PATH = "/webhooks/genesys-messaging"
STATUSES = ("sent", "delivered")
DUPLICATES = 0.1
"""The share of events that come a second time."""


def events(message_ids: Sequence[str]) -> list[bytes]:
    """Return the bodies of all events of these messages, some of them twice."""
    dice = random.Random(len(message_ids))  # noqa: S311 - no secret
    bodies: list[bytes] = []
    for second, status in enumerate(STATUSES):
        at = f"2026-11-23T12:00:{second:02d}.000Z"
        once = [event_body(f"{each}:{status}", each, status, at) for each in message_ids]
        twice = dice.sample(once, round(DUPLICATES * len(once)))
        bodies += once + twice
    return bodies


def requests(bodies: Sequence[bytes]) -> list[bytes]:
    """Return the bodies as signed requests."""
    return [_request(body) for body in bodies]


def _request(body: bytes) -> bytes:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: receiver\r\nContent-Type: application/json\r\n"
        f"{HEADER}: {sign(body, SECRET)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class Answers:
    """What came back: how often each body, and how long each took, in seconds."""

    seconds: float = 0.0
    bodies: Counter[bytes] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Return the time within which this share of the answers came, in seconds."""
        return sorted(self.took)[min(len(self.took) - 1, int(share * len(self.took)))]


def post(
    port: int, ready: Sequence[bytes], connections: int, *, a_second: float | None = None
) -> Answers:
    """Send every request over keep-alive connections, and return the answers.

    With a pace, a request's time counts from when it was due, also where it had to wait for a
    connection; without one, from when it was sent.
    """
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    try:
        return _Sender(sockets, ready, a_second).run()
    finally:
        for each in sockets:
            each.close()


class _Sender:
    def __init__(
        self, sockets: Sequence[socket.socket], ready: Sequence[bytes], a_second: float | None
    ) -> None:
        self._sockets = {each.fileno(): each for each in sockets}
        # The longest rested is next: a server closes connections that rest for seconds.
        self._free = deque(self._sockets)
        self._ready, self._sent = ready, 0
        self._gap = 1 / a_second if a_second else 0.0
        self._since: dict[int, float] = {}
        self._parts: dict[int, bytes] = {}
        self._answers = Answers()
        self._epoll = select.epoll()
        for number, each in self._sockets.items():
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._epoll.register(number, select.EPOLLIN)

    def run(self) -> Answers:
        began = time.perf_counter()
        while self._sent < len(self._ready) or self._since:
            self._send(began)
            for number, _ in self._epoll.poll(self._pause(began)):
                self._receive(number)
        self._answers.seconds = time.perf_counter() - began
        self._epoll.close()
        return self._answers

    def _send(self, began: float) -> None:
        while self._free and self._sent < len(self._ready):
            now, due = time.perf_counter(), began + self._sent * self._gap
            if self._gap and now < due:
                return
            number = self._free.popleft()
            self._since[number] = due if self._gap else now
            self._sockets[number].send(self._ready[self._sent])
            self._sent += 1

    def _pause(self, began: float) -> float | None:
        if not self._gap or not self._free or self._sent == len(self._ready):
            return None
        return max(0.0, began + self._sent * self._gap - time.perf_counter())

    def _receive(self, number: int) -> None:
        part = self._sockets[number].recv(65_536)
        if not part:
            raise RuntimeError("the receiver has closed a connection")
        data = self._parts.pop(number, b"") + part
        _, gap, body = data.partition(b"\r\n\r\n")
        if not gap or not body.endswith((b"}", b"]")):
            self._parts[number] = data  # an answer comes in two parts at times
            return
        self._answers.took.append(time.perf_counter() - self._since.pop(number))
        self._answers.bodies[body] += 1
        self._free.append(number)
