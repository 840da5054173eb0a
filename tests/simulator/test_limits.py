"""The rate limit and the headers that tell of it."""

from __future__ import annotations

import pytest

from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.limits import RateLimit
from tests.simulator.caller import Caller, a_message
from tests.simulator.server import SimulatorProcess, wait_for


class Clock:
    """A clock that stands still until it is moved; seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limit_of(requests: int, window_s: float = 60.0) -> tuple[RateLimit, Clock]:
    clock = Clock()
    return RateLimit(requests, window_s, clock=clock), clock


def take(limit: RateLimit, times: int, caller: str = "one") -> None:
    for _ in range(times):
        limit.take(caller)


def test_a_window_lets_through_what_is_allowed_and_no_more() -> None:
    limit, clock = limit_of(3)
    take(limit, 3)
    clock.now += 59.9
    with pytest.raises(ApiError) as refused:
        limit.take("one")
    assert refused.value.status == 429
    # A tenth of a second is left, and whole seconds are told.
    assert refused.value.headers == ((b"retry-after", b"1"),)


def test_a_window_opens_with_the_first_request_and_then_anew() -> None:
    limit, clock = limit_of(3)
    take(limit, 1)
    clock.now += 60
    take(limit, 3)
    clock.now += 30
    with pytest.raises(ApiError) as refused:
        limit.take("one")
    assert refused.value.headers == ((b"retry-after", b"30"),)


def test_each_token_has_a_window_of_its_own() -> None:
    limit, _ = limit_of(2)
    take(limit, 2, "one")
    take(limit, 2, "two")


def test_a_shorter_window_keeps_the_rate() -> None:
    # 300 a minute are 10 in 2 seconds.
    limit, clock = limit_of(300, 2.0)
    take(limit, 10)
    with pytest.raises(ApiError):
        limit.take("one")
    clock.now += 2
    take(limit, 10)


def test_headers_tell_the_allowance_the_count_and_the_seconds_left() -> None:
    limit, clock = limit_of(300)
    take(limit, 7)
    clock.now += 18.5
    assert dict(limit.headers("one")) == {
        b"inin-ratelimit-allowed": b"300",
        b"inin-ratelimit-count": b"7",
        b"inin-ratelimit-reset": b"42",
    }
    assert dict(limit.headers(None))[b"inin-ratelimit-count"] == b"0"


def test_too_many_requests_answer_429_and_are_not_accepted() -> None:
    with SimulatorProcess(requests_per_minute=5) as simulator:
        # More tokens than the limit has requests: the token endpoint is not limited.
        assert len({simulator.token() for _ in range(10)}) == 10
        caller = Caller(simulator)
        answers = [caller.send(a_message()) for _ in range(7)]
        caller.close()
        assert len(simulator.messages()) == 5
    assert [answer.status_code for answer in answers] == [201] * 5 + [429] * 2
    refused = answers[-1]
    assert refused.json()["code"] == "too.many.requests.retry.after"
    seconds = int(refused.headers["Retry-After"])
    assert 50 <= seconds <= 60
    assert f"[{seconds}] seconds" in refused.json()["message"]
    assert refused.headers["inin-ratelimit-count"] == "5"


def test_after_the_window_requests_are_accepted_again() -> None:
    with SimulatorProcess(requests_per_minute=60, rate_window_s=0.5) as simulator:
        caller = Caller(simulator)
        caller.list()
        again = wait_for(caller.list, lambda answer: answer.status_code == 200)
        assert again.headers["inin-ratelimit-count"] == "1"
        caller.close()


def test_every_answer_carries_the_headers(caller: Caller) -> None:
    answers = [caller.send(a_message()), caller.send({}), caller.get("/nowhere")]
    assert [answer.status_code for answer in answers] == [201, 400, 404]
    for answer in answers:
        assert answer.headers["inin-ratelimit-allowed"] == "100000"
        assert int(answer.headers["inin-ratelimit-reset"]) <= 60
        assert len(answer.headers["ININ-Correlation-Id"]) == 36
    assert answers[1].headers["inin-ratelimit-count"] == "2"
