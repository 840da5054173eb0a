"""The rate limit: so many requests per token in a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from genesys_cloud.simulator.exchange import ApiError, Headers

PLATFORM = "platform.api"
PER_TOKEN = "client.credentials.token.rate.per.minute"  # noqa: S105 - the name of a limit


@dataclass(slots=True)
class _Window:
    opened_at: float
    count: int


class RateLimit:
    """A fixed window per token that opens with the token's first request, as the platform's."""

    def __init__(
        self,
        requests_per_minute: int,
        window_s: float = 60.0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute = requests_per_minute
        self._allowed = max(1, round(requests_per_minute * window_s / 60))
        self._window_s = window_s
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def take(self, token: str) -> None:
        """Count one request of the token; raises ApiError 429 when the window is full."""
        window = self._window(token)
        if window.count >= self._allowed:
            wait = self._seconds_left(window)
            message = f"Rate limit exceeded the maximum. Retry the request in [{wait}] seconds"
            header = (b"retry-after", str(wait).encode())
            limit = {"key": PER_TOKEN, "namespace": PLATFORM, "value": self._per_minute}
            code = "too.many.requests.retry.after"
            raise ApiError(429, code, message, limit=limit, headers=(header,))
        window.count += 1

    def headers(self, token: str | None) -> Headers:
        """Return the three headers that every answer carries; reset is in seconds left."""
        window = self._windows.get(token) if token else None
        count = window.count if window else 0
        reset = self._seconds_left(window) if window else math.ceil(self._window_s)
        return (
            (b"inin-ratelimit-allowed", b"%d" % self._allowed),
            (b"inin-ratelimit-count", b"%d" % count),
            (b"inin-ratelimit-reset", b"%d" % reset),
        )

    def _window(self, token: str) -> _Window:
        now = self._clock()
        window = self._windows.get(token)
        if window is None or now - window.opened_at >= self._window_s:
            window = self._windows[token] = _Window(now, 0)
        return window

    def _seconds_left(self, window: _Window) -> int:
        return max(1, math.ceil(window.opened_at + self._window_s - self._clock()))
