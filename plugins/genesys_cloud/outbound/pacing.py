"""Pacing as arithmetic: which instants a rate limit allows. All times are whole microseconds.

A gate is GCRA without a burst: it holds the first instant that is still free, and a reservation of
n slots moves it by n intervals. The interval is one percent longer than the limit allows, so that
requests which leave a little late do not crowd a window that begins between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MARGIN = 1.01
"""How much longer an interval is than the limit needs."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A rate limit: at most `per_minute` requests under `name` in any minute."""

    name: str
    per_minute: int

    def __post_init__(self) -> None:
        if self.per_minute < 1:
            raise ValueError(f"limit {self.name!r} must allow at least one request a minute")

    @property
    def interval_us(self) -> int:
        """Microseconds from one slot to the next."""
        return round(60_000_000 * MARGIN / self.per_minute)


def slots(firsts: Sequence[tuple[int, Limit]], count: int) -> list[int]:
    """Return `count` instants that every limit allows, given each one's first slot."""
    return [max(first + i * limit.interval_us for first, limit in firsts) for i in range(count)]


def batch_limit(limits: Sequence[Limit], *, horizon_us: int, most: int) -> int:
    """Return how many slots fit into the horizon at the slowest limit: at least 1, at most `most`.

    A short horizon keeps a worker from holding slots that another one could use now.
    """
    fits = min((horizon_us // limit.interval_us for limit in limits), default=most)
    return max(1, min(most, fits))
