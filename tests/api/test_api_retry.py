from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.retry import (
    ATTEMPTS,
    LONGEST_RETRY_AFTER_S,
    ReadPolicy,
    parse_retry_after,
)
from genesys_cloud.api.transport import Answer
from genesys_cloud.errors import (
    AuthenticationError,
    NotSentError,
    OutcomeUnknownError,
    ThrottledError,
)

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("42", 42.0),
        (" 42 ", 42.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("99999999", LONGEST_RETRY_AFTER_S),
        ("9" * 400, LONGEST_RETRY_AFTER_S),
        (formatdate(NOW + 30, usegmt=True), 30.0),
        (formatdate(NOW - 30, usegmt=True), 0.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
        ("Tue, 14 Nov 2023 23:13:50 +0100", 30.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("0x10", None),
        ("1_000", None),
        ("٤٢", None),
        ("42, 43", None),
        ("Tue, 99 Nov 2023 22:13:50 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(
    header: str | None, seconds: float | None
) -> None:
    assert parse_retry_after(header, NOW) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_it_and_no_wait_is_absurd(header: str) -> None:
    seconds = parse_retry_after(header, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER_S


@given(st.integers(min_value=-10_000, max_value=10_000))
def test_a_date_asks_for_the_time_until_then(offset: int) -> None:
    moment = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=offset)
    expected = min(max(float(offset), 0.0), LONGEST_RETRY_AFTER_S)
    assert parse_retry_after(format_datetime(moment, usegmt=True), NOW) == expected


def answer(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, b"{}")


class Script:
    """Answers or raises what it was given, in turn, and counts."""

    def __init__(self, *steps: Answer | Exception) -> None:
        self.steps = list(steps)
        self.asked = 0

    def __call__(self) -> Answer:
        self.asked += 1
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step


def run(script: Script, rng: float = 0.0) -> tuple[Answer, list[float]]:
    sleeps: list[float] = []
    policy = ReadPolicy(clock=lambda: NOW, sleep=sleeps.append, rng=lambda: rng)
    return policy(script), sleeps


def test_pauses_double_and_half_of_each_is_chance() -> None:
    last, sleeps = run(Script(answer(503)), rng=0.0)
    assert last.status == 503
    assert sleeps == [0.5, 1.0, 2.0, 4.0]
    _, sleeps = run(Script(answer(503)), rng=1.0)
    assert sleeps == [1.0, 2.0, 4.0, 8.0]


def test_the_number_of_attempts_is_bounded() -> None:
    script = Script(answer(429))
    run(script)
    assert script.asked == ATTEMPTS


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_asked_again(status: int) -> None:
    last, sleeps = run(Script(answer(status), answer(200)))
    assert (last.status, len(sleeps)) == (200, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 500, 501, 302])
def test_what_does_not_pass_fails_at_once(status: int) -> None:
    script = Script(answer(status))
    _, sleeps = run(script)
    assert (script.asked, sleeps) == (1, [])


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status: int) -> None:
    _, sleeps = run(Script(answer(status, Retry_After="42"), answer(200)))
    assert sleeps == [42.0]


def test_the_rate_window_tells_how_long_where_retry_after_does_not() -> None:
    throttled = answer(429, inin_ratelimit_reset="17")
    _, sleeps = run(Script(throttled, answer(200)))
    assert sleeps == [17.0]
    # A 503 is not about the window.
    _, sleeps = run(Script(answer(503, inin_ratelimit_reset="17"), answer(200)))
    assert sleeps == [0.5]


def test_a_wait_that_is_too_long_is_left_to_the_caller() -> None:
    script = Script(answer(429, Retry_After="600"), answer(200))
    last, sleeps = run(script)
    assert (last.status, sleeps) == (429, [])


@pytest.mark.parametrize("error", [NotSentError("no"), OutcomeUnknownError("no")])
def test_broken_connections_are_tried_again_and_then_raised(error: Exception) -> None:
    last, _ = run(Script(error, answer(200)))
    assert last.status == 200
    with pytest.raises(type(error)):
        run(Script(error))


def test_throttled_logins_wait_as_told() -> None:
    throttled = ThrottledError("slow down", status=400, retry_after=7.0)
    _, sleeps = run(Script(throttled, answer(200)))
    assert sleeps == [7.0]


def test_other_errors_are_raised_at_once() -> None:
    script = Script(AuthenticationError("no", status=401))
    with pytest.raises(AuthenticationError):
        run(script)
    assert script.asked == 1
