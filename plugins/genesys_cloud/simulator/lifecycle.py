"""What becomes of a message: drawn from the seed and the message's own content."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace
from itertools import pairwise

from genesys_cloud.simulator.options import SimulatorOptions

# The platform's own receipt codes, and how often each is the reason.
FAILURES = {
    "InvalidDestination": 45,
    "MessageExpired": 15,
    "DataFiltered": 15,
    "RecipientOptedOut": 10,
    "RateLimited": 10,
    "ServerError": 5,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One status change, and when its event is pushed; all times in seconds since acceptance."""

    status: str
    at_s: float
    error_code: str | None = None
    pushed_at_s: tuple[float, ...] = ()


def plan(
    options: SimulatorOptions, address: str, text: str, *, later_s: float = 0.0
) -> tuple[Step, ...]:
    """Return a message's status changes, the same for the same seed, address and text.

    The order in which messages arrive plays no part, so that a campaign ends the same however
    many workers send it. Whatever follows the first change comes `later_s` later.
    """
    digest = hashlib.sha256(f"{options.seed}\0{address}\0{text}".encode("utf-8", "surrogatepass"))

    chance = random.Random(digest.digest())  # noqa: S311
    first, *rest = _statuses(options, chance)
    rest = [replace(step, at_s=step.at_s + later_s) for step in rest] if later_s else rest
    steps = _with_pushes(options, chance, [first, *rest])
    return tuple(_faster(step, options.speed) for step in steps)


def _statuses(options: SimulatorOptions, chance: random.Random) -> list[Step]:
    # Every draw is made whatever comes of it: a share that changes leaves the times as they were.
    fails, rejected, reads = chance.random(), chance.random(), chance.random()
    code = chance.choices(list(FAILURES), list(FAILURES.values()))[0]
    sent = chance.lognormvariate(-0.3, 0.6)
    delivered = sent + chance.lognormvariate(1.2, 0.9)
    read = delivered + chance.lognormvariate(5.0, 1.2)
    if fails < options.failure_share:
        if rejected < 0.5:
            return [Step("failed", sent, code)]
        return [Step("sent", sent), Step("failed", delivered, code)]
    steps = [Step("sent", sent), Step("delivered", delivered)]
    return [*steps, Step("read", read)] if reads < options.read_share else steps


def _with_pushes(options: SimulatorOptions, chance: random.Random, steps: list[Step]) -> list[Step]:
    following = [after.at_s for _, after in pairwise(steps)] + [None]
    return [
        Step(step.status, step.at_s, step.error_code, _pushes(options, chance, step.at_s, after))
        for step, after in zip(steps, following, strict=True)
    ]


def _pushes(
    options: SimulatorOptions, chance: random.Random, at_s: float, next_s: float | None
) -> tuple[float, ...]:
    """Return when a status event leaves: late, out of order, twice or not at all."""
    reordered, delayed, twice, lost = (chance.random() for _ in range(4))
    first = at_s + chance.expovariate(5.0)
    gap, lateness = chance.uniform(1.0, 20.0), chance.uniform(60.0, 300.0)
    if lost < options.loss_share:
        return ()
    if delayed < options.delay_share:
        first += lateness
    if next_s is not None and reordered < options.reorder_share:
        first = max(first, next_s + gap)
    return (first, first + gap) if twice < options.duplicate_share else (first,)


def _faster(step: Step, speed: float) -> Step:
    pushes = tuple(push / speed for push in step.pushed_at_s)
    return Step(step.status, step.at_s / speed, step.error_code, pushes)
