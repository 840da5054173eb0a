"""When a read is asked for again, and after how long. Sends are never retried here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState, Retrying, stop_after_attempt

from genesys_cloud.api.transport import Answer
from genesys_cloud.errors import NotSentError, OutcomeUnknownError, ThrottledError

ATTEMPTS = 5
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0

LONGEST_RETRY_AFTER_S = 3600.0
"""No server is believed beyond this."""

LONGEST_PATIENCE_S = 120.0
"""A read that is told to wait longer fails at once, so that its task gives its slot back."""

TRANSIENT = frozenset({429, 502, 503, 504})
"""Genesys' own list of what passes; 500 does not."""

_SECONDS = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")


def parse_retry_after(header: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks to wait, None when it makes no sense.

    The header holds seconds or an HTTP date (RFC 9110, 10.2.3); `now` is in epoch seconds.
    """
    text = (header or "").strip()
    asked = float(text) if _SECONDS.fullmatch(text) else _seconds_until(text, now)
    if math.isnan(asked):
        return None
    return min(max(asked, 0.0), LONGEST_RETRY_AFTER_S)


def retry_after(answer: Answer, now: float) -> float | None:
    """Return the seconds that an answer asks to wait, None when it does not say.

    Genesys also counts down the seconds of its rate window in a header on every answer.
    """
    asked = parse_retry_after(answer.headers.get("Retry-After"), now)
    if asked is None and answer.status == 429:
        asked = parse_retry_after(answer.headers.get("inin-ratelimit-reset"), now)
    return asked


def pause(answer: Answer) -> float | None:
    """Return the seconds for which the rate window leaves nothing more, None where it does.

    Every answer of the platform counts: inin-ratelimit-count of -allowed, over in -reset seconds.
    """
    names = ("inin-ratelimit-count", "inin-ratelimit-allowed", "inin-ratelimit-reset")
    words = [answer.headers.get(name, "") for name in names]
    if not all(word.isascii() and word.isdigit() for word in words):
        return None
    count, allowed, reset = (int(word[:9]) for word in words)
    return float(min(reset, LONGEST_RETRY_AFTER_S)) if count >= allowed else None


class ReadPolicy:
    """Asks again after throttling, 502, 503, 504 and broken connections, with growing pauses."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        rng: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._rng = rng

    def __call__(self, ask: Callable[[], Answer]) -> Answer:
        """Return the first answer worth having, or the last; raises what the last attempt did."""
        retrying = Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(ATTEMPTS),
            retry=self._passes,
            wait=self._wait,
            # The caller turns the last answer into its error, as it does the first.
            retry_error_callback=_last_result,
        )
        return retrying(ask)

    def _passes(self, state: RetryCallState) -> bool:
        return _is_transient(state) and (self._asked(state) or 0.0) <= LONGEST_PATIENCE_S

    def _wait(self, state: RetryCallState) -> float:
        backoff = min(FIRST_BACKOFF_S * 2.0 ** (state.attempt_number - 1), LONGEST_BACKOFF_S)
        # Half of the pause is chance, so that tasks that failed together do not return together.
        jittered = backoff * (0.5 + self._rng() / 2)
        asked = self._asked(state)
        return jittered if asked is None else asked + self._rng()

    def _asked(self, state: RetryCallState) -> float | None:
        error = _error(state)
        if isinstance(error, ThrottledError):
            return error.retry_after
        answer = None if error else _last_result(state)
        return retry_after(answer, self._clock()) if answer else None


def _is_transient(state: RetryCallState) -> bool:
    if error := _error(state):
        return isinstance(error, NotSentError | OutcomeUnknownError | ThrottledError)
    return _last_result(state).status in TRANSIENT


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _last_result(state: RetryCallState) -> Answer:
    if state.outcome is None:
        raise RuntimeError("no attempt was made")
    answer: Answer = state.outcome.result()
    return answer


def _seconds_until(text: str, now: float) -> float:
    try:
        moment = parsedate_to_datetime(text)
        # An HTTP date is in GMT, also where it says -0000 or nothing.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return math.nan
