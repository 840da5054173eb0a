"""How a body is read: never more than the limit, not for ever, and not too many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from genesys_cloud.webhook.answers import RefusedError
from genesys_cloud.webhook.headers import MOST_BYTES, too_large

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MOST_BYTES_IN_HAND = 64 * 1024 * 1024
"""Most bytes of bodies that are being read or counted at a time."""

READ_TIMEOUT_S = 10.0
"""How long a sender may take to send a body."""


class GoneError(Exception):
    """The sender has hung up; nobody waits for an answer."""


class Intake:
    """Reads bodies, and knows how much of them is in hand."""

    def __init__(self, most_bytes: int = MOST_BYTES_IN_HAND) -> None:
        self._most_bytes = most_bytes
        self.in_hand = 0

    async def read(self, receive: Receive) -> bytes:
        """Return a request's body; `done_with` it gives its bytes back.

        Raises RefusedError where it is too large, too slow, or too much for now.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                while await self._take(receive, body):
                    pass
        except BaseException as error:
            self.in_hand -= len(body)
            if isinstance(error, TimeoutError):
                raise RefusedError(503, "The body did not come in time.") from None
            raise
        return bytes(body)

    @contextmanager
    def done_with(self, body: bytes) -> Iterator[None]:
        """Give a body's bytes back when the block ends."""
        try:
            yield
        finally:
            self.in_hand -= len(body)

    async def _take(self, receive: Receive, body: bytearray) -> bool:
        """Add the next part to a body, and return whether more is to come."""
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > MOST_BYTES:
            raise too_large()
        if self.in_hand + len(chunk) > self._most_bytes:
            raise RefusedError(503, "The receiver holds as many bytes as it will.")
        body += chunk
        self.in_hand += len(chunk)
        return bool(message.get("more_body", False))
