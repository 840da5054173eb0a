"""Pushes events to whoever asked for them, and tries again when that fails."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from functools import partial

import httpx

from genesys_cloud.simulator.options import SimulatorOptions
from genesys_cloud.simulator.timeline import Timeline

ATTEMPTS = 6  # the first and five more
SHORTEST_GAP_S = 0.2


@dataclass(slots=True)
class Tally:
    """How many pushes went well, are under way, were given up.

    A closed tally is of a world that was reset: nothing that failed there is tried again.
    """

    delivered: int = 0
    pending: int = 0
    failed: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Push:
    """One event on its way to one receiver; the gaps between tries double, or stay even."""

    url: str
    body: bytes
    headers: dict[str, str]
    tally: Tally
    attempt: int = 1
    even_gaps: bool = False

    def again(self) -> Push:
        """Return the same push as its next attempt."""
        return replace(self, attempt=self.attempt + 1)


def sign(secret: str, body: bytes) -> str:
    """Return the value of X-Hub-Signature-256: a base64 HMAC-SHA256 of the raw body."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return "sha256=" + base64.b64encode(digest).decode()


class Courier:
    """Delivers pushes concurrently over connections that stay open."""

    def __init__(self, options: SimulatorOptions, timeline: Timeline) -> None:
        self._options = options
        self._timeline = timeline
        self._queue: asyncio.Queue[Push] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the workers on the running loop."""
        certificates = httpx.create_ssl_context()
        for _ in range(self._options.webhook_concurrency):
            # A client each: one pool for all of them costs twice the time per event.
            client = httpx.AsyncClient(
                timeout=self._options.webhook_timeout_s,
                verify=certificates,
                # A proxy of the environment has no business with a receiver on this machine.
                trust_env=False,
            )
            self._workers.append(asyncio.create_task(self._work(client)))

    async def stop(self) -> None:
        """Stop the workers; what they had not delivered is lost, as when a machine goes down."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def send(self, push: Push) -> None:
        """Deliver a push as soon as a worker is free."""
        self._queue.put_nowait(push)

    def clear(self) -> None:
        """Forget every push that no worker has taken."""
        while not self._queue.empty():
            self._queue.get_nowait()

    async def _work(self, client: httpx.AsyncClient) -> None:
        async with client:
            while True:
                push = await self._queue.get()
                self._settle(push, *await self._post(client, push))

    async def _post(self, client: httpx.AsyncClient, push: Push) -> tuple[int, float]:
        """Return the status, 0 without an answer, and the wait that was asked for in seconds."""
        headers = {"content-type": "application/json"} | push.headers
        try:
            answer = await client.post(push.url, content=push.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0, 0.0
        asked = answer.headers.get("retry-after", "")
        return answer.status_code, float(asked) if asked.isdecimal() else 0.0

    def _settle(self, push: Push, status: int, asked_s: float) -> None:
        if 200 <= status < 300:
            push.tally.delivered += 1
        elif _worth_another(push, status):
            wait_s = max(asked_s, self._gap(push))
            self._timeline.after(wait_s, partial(self.send, push.again()))
            return
        else:
            push.tally.failed += 1
        push.tally.pending -= 1

    def _gap(self, push: Push) -> float:
        # Speed shortens the gaps, but a receiver that restarts needs real seconds.
        unscaled = self._options.webhook_retry_s
        first = max(unscaled / self._options.speed, min(unscaled, SHORTEST_GAP_S))
        return first if push.even_gaps else first * 2.0 ** (push.attempt - 1)


def _worth_another(push: Push, status: int) -> bool:
    passing = status in (0, 429) or status >= 500
    return passing and push.attempt < ATTEMPTS and not push.tally.closed
