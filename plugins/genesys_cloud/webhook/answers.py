"""What the receiver answers, as ASGI sends it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from genesys_cloud.webhook.counting import Outcome
from genesys_cloud.webhook.events import Body

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

IGNORED = "ignored"
"""What is answered to a push in which there is nothing to count."""

RETRY_AFTER_S = "5"
"""When a sender that met a failure of ours should come back, in seconds."""

MOST_REASONS = 10
"""Most refused members of a batch that are answered one by one."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body)).encode()),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(status: int, body: object, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an answer; a 503 says when to come back."""
    wait = [(b"retry-after", RETRY_AFTER_S.encode())] if status == 503 else []
    return Answer(status=status, body=json.dumps(body).encode(), headers=(*headers, *wait))


class RefusedError(Exception):
    """A request that is not counted: the HTTP status that says so, and why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    @property
    def answer(self) -> Answer:
        """The answer that says so."""
        return json_answer(self.status, {"error": str(self)})


def counted(body: Body, outcomes: Sequence[Outcome]) -> Answer:
    """Return the answer to a body whose events are counted."""
    if not body.is_batch:
        return _single(str(outcomes[0]) if outcomes else IGNORED)
    results = Counter(str(outcome) for outcome in outcomes)
    results[IGNORED] += body.ignored
    found: dict[str, object] = {"results": dict(sorted((+results).items()))}
    if body.refused:
        reasons = [{"index": index, "error": why} for index, why in body.refused[:MOST_REASONS]]
        found |= {"refused": len(body.refused), "reasons": reasons}
    return json_answer(200, found)


@cache
def _single(word: str) -> Answer:
    return json_answer(200, {"result": word})
