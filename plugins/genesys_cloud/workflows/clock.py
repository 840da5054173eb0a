"""Time, sleep and chance as arguments, so that tests bring their own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What time it is, how to wait, and a number between 0 and 1 by chance."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


def sleep_until(instant: datetime, clock: Clock) -> None:
    """Sleep until an instant; not at all where it has passed."""
    wait = (instant - clock.now()).total_seconds()
    if wait > 0:
        clock.sleep(wait)
