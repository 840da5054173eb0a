"""What work costs, and how contestants are compared on a machine that others use too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What work took, in seconds: by the clock, and of the processors that did it."""

    seconds: float
    cpu_s: float


Contestant = Callable[[], Cost]
CostT = TypeVar("CostT", bound=Cost)


def cost_of(work: Callable[[], object]) -> Cost:
    """Do the work in this process and return its cost."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(seconds=time.perf_counter() - began, cpu_s=time.process_time() - cpu)


def interleave(
    contestants: Mapping[str, Callable[[], CostT]], rounds: int
) -> dict[str, list[CostT]]:
    """Run every contestant once a round and return each one's costs, round by round.

    Each round begins with another one, so that nobody always runs after the same neighbour.
    """
    costs: dict[str, list[CostT]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            costs[name].append(contestants[name]())
    return costs


def seconds(costs: Iterable[Cost]) -> float:
    """Return the median seconds."""
    return median(cost.seconds for cost in costs)


def cpu(costs: Iterable[Cost]) -> float:
    """Return the median seconds of processor time."""
    return median(cost.cpu_s for cost in costs)


def times_as_long(costs: Sequence[Cost], baseline: Sequence[Cost]) -> str:
    """Return the median, over the rounds, of how many times the baseline's time the work took."""
    pairs = zip(costs, baseline, strict=True)
    return f"{median(one.seconds / base.seconds for one, base in pairs):.2f} x"
