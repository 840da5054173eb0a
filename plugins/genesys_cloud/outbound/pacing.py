"""Pacing as arithmetic: which instants rate limits allow. Instants are microseconds of the epoch.

A gate is GCRA without a burst: it holds the first instant that is still free, and each message
moves it by its cost in intervals. A message may come a little later than its slot, but no later
than the limit's tolerance, and the interval is longer by just that: N + 1 units are N intervals
apart less the tolerance at most, which is the whole period, so that no window of one period holds
more than N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

TOLERANCE = 0.02
"""How late a message may arrive, as a share of the limit's period; what the exactness costs.

A quarter is for slots that wait for another limit, a half for leaving late, and a quarter for the
way: where a request leaves on time but is held up, nobody here sees it."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `most` messages, or SMS segments, in any window of `period_s` seconds."""

    name: str
    most: int
    period_s: int = 60
    unit: Literal["message", "segment"] = "message"

    def __post_init__(self) -> None:
        if self.most < 1 or self.period_s < 1:
            raise ValueError(f"limit {self.name!r} must allow at least one in at least a second")

    @property
    def tolerance_us(self) -> int:
        """How many microseconds after its slot a message may still leave."""
        return round(self.period_s * 1_000_000 * TOLERANCE)

    @property
    def interval_us(self) -> int:
        """Microseconds from one unit's slot to the next's."""
        return -(-(self.period_s * 1_000_000 + self.tolerance_us) // self.most)

    def widths(self, segments: Sequence[int]) -> list[int]:
        """Return how far each message moves the gate, given each one's segments."""
        return [self.interval_us * (n if self.unit == "segment" else 1) for n in segments]


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """The slots of the first messages asked for, and where each gate stands after them.

    Without a slot, `wait_until` says when to ask again; nothing is reserved then.
    """

    slots: Sequence[int] = ()
    gates: Mapping[str, int] | None = None
    wait_until: int = 0


def reserve(
    limits: Sequence[Limit], gates: Mapping[str, int], segments: Sequence[int], now_us: int
) -> Reservation:
    """Reserve slots that every limit allows for as many messages as may be held at once.

    A slot is the latest of what the gates give. It must not be later than a quarter of a gate's
    tolerance after that gate's own: a slow limit would else hold slots of a fast one that others
    could use, and use them when they count for another window. As much lets a gate be behind
    the present, so that the time which a worker needs between two batches is not lost.
    """
    firsts = {
        limit.name: max(gates.get(limit.name, 0), now_us - limit.tolerance_us // 4)
        for limit in limits
    }
    own = {
        limit.name: [firsts[limit.name] + w for w in accumulate(limit.widths(segments), initial=0)]
        for limit in limits
    }
    slots = [max(starts) for starts in zip(*(own[limit.name] for limit in limits), strict=True)]
    count = 0
    while count < len(segments) and all(
        slots[count] - own[limit.name][count] <= limit.tolerance_us // 4 for limit in limits
    ):
        count += 1
    if not count:
        return Reservation(wait_until=max(firsts.values()))
    after = {limit.name: own[limit.name][count] for limit in limits}
    return Reservation(slots=slots[:count], gates=after)


def lateness_us(limits: Sequence[Limit]) -> int:
    """Return how long after its slot a message may leave: half of the least tolerance."""
    return min(limit.tolerance_us // 2 for limit in limits)


def batch_limit(limits: Sequence[Limit], *, horizon_us: int, most: int) -> int:
    """Return how many messages fit into the horizon at the slowest limit, from 1 to `most`.

    A short horizon keeps a worker from holding slots that another one could use now.
    """
    fits = min((horizon_us // limit.interval_us for limit in limits), default=most)
    return max(1, min(most, fits))
