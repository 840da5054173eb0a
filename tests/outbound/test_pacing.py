from __future__ import annotations

import random
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.outbound.pacing import Limit, batch_limit, lateness_us, reserve

MINUTE = Limit(name="account", most=300)
SECOND = Limit(name="sender", most=10, period_s=1, unit="segment")


def fullest_window(departures: list[tuple[int, int]], period_us: int) -> int:
    """Return the most units that any half-open window of one period holds."""
    departures = sorted(departures)
    times = [at for at, _ in departures]
    sums = [0]
    for _, units in departures:
        sums.append(sums[-1] + units)
    return max(
        sums[bisect_left(times, at + period_us)] - sums[index] for index, at in enumerate(times)
    )


def run(
    limits: list[Limit],
    *,
    workers: int,
    seconds: int,
    segments: list[int],
    seed: int,
    latest_us: int | None = None,
) -> list[tuple[int, int]]:
    """Let workers take slots and leave late, as they may; return (instant, segments) of each.

    They leave at most `latest_us` after their slots, or as late as a message ever may.
    """
    latest = lateness_us(limits) if latest_us is None else latest_us
    chance = random.Random(seed)
    gates: dict[str, int] = {}
    free = dict.fromkeys(range(workers), 0)
    departures = []
    while (now := min(free.values())) < seconds * 1_000_000:
        worker = min(free, key=free.__getitem__)
        batch = [chance.choice(segments) for _ in range(chance.randrange(1, 20))]
        taken = reserve(limits, gates, batch, now)
        if taken.gates is None:
            assert taken.wait_until > now
            free[worker] = taken.wait_until
            continue
        gates |= taken.gates
        for slot, units in zip(taken.slots, batch, strict=False):
            # A slot may lie in the past by now; what counts is how late after it a message leaves.
            left = max(slot + chance.randrange(latest + 1), now)
            assert left <= slot + lateness_us(limits)
            departures.append((left, units))
        free[worker] = max(departures[-1][0], now)
    return departures


@settings(max_examples=30, deadline=None)
@given(
    most=st.integers(1, 600),
    workers=st.sampled_from([1, 4, 8]),
    seed=st.integers(0, 1_000_000),
)
def test_no_window_holds_more_than_the_limit_from_a_cold_start_on(
    most: int, workers: int, seed: int
) -> None:
    limit = Limit(name="account", most=most, period_s=10)
    left = run([limit], workers=workers, seconds=60, segments=[1], seed=seed)
    assert fullest_window(left, 10_000_000) <= most


@settings(max_examples=30, deadline=None)
@given(workers=st.sampled_from([1, 4, 8]), seed=st.integers(0, 1_000_000))
def test_several_limits_hold_at_once_each_in_its_unit(workers: int, seed: int) -> None:
    limits = [Limit(name="account", most=120), Limit(name="campaign", most=90), SECOND]
    left = run(limits, workers=workers, seconds=180, segments=[1, 2, 3], seed=seed)
    assert fullest_window([(at, 1) for at, _ in left], 60_000_000) <= 90
    assert fullest_window(left, 1_000_000) <= 10


@pytest.mark.parametrize("workers", [1, 4, 8])
@pytest.mark.parametrize("limit", [MINUTE, Limit(name="fast", most=50, period_s=1)])
def test_at_least_97_percent_of_the_rate_is_used(limit: Limit, workers: int) -> None:
    # A few milliseconds late, as a machine is that is not overloaded.
    left = run([limit], workers=workers, seconds=120, segments=[1], seed=7, latest_us=3_000)
    allowed = limit.most / limit.period_s * 120
    assert len([at for at, _ in left if at < 120_000_000]) >= 0.97 * allowed


def test_a_slow_campaign_does_not_hold_slots_that_others_could_use() -> None:
    slow = Limit(name="slow campaign", most=6)  # one in ten seconds
    gates: dict[str, int] = {}
    for now in range(0, 60_000_000, 100_000):
        taken = reserve([MINUTE, slow], gates, [1] * 20, now)
        gates |= taken.gates or {}
    # Ten a minute took six slots of the account's, not a minute of them.
    assert gates["account"] <= 60_000_000 + MINUTE.interval_us


def test_nothing_is_reserved_where_nothing_may_leave() -> None:
    slow = Limit(name="slow", most=1)
    first = reserve([slow], {}, [1], 0)
    assert (first.slots, first.gates) == ([0], {"slow": slow.interval_us})
    again = reserve([MINUTE, slow], first.gates or {}, [1], 1_000_000)
    assert again.gates is None
    assert again.wait_until == slow.interval_us


def test_segments_move_only_the_gates_that_count_them() -> None:
    taken = reserve([MINUTE, SECOND], {}, [3], 0)
    assert taken.gates == {"account": MINUTE.interval_us, "sender": 3 * SECOND.interval_us}


@pytest.mark.parametrize(("most", "period"), [(0, 60), (-1, 60), (10, 0)])
def test_a_limit_that_allows_nothing_is_refused(most: int, period: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Limit(name="x", most=most, period_s=period)


def test_a_batch_fits_the_horizon_of_the_slowest_limit() -> None:
    assert batch_limit([MINUTE], horizon_us=1_000_000, most=64) == 4
    assert batch_limit([Limit(name="x", most=6)], horizon_us=1_000_000, most=64) == 1
    assert batch_limit([Limit(name="x", most=10**6)], horizon_us=1_000_000, most=64) == 64
