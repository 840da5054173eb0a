"""A clock as fast as a simulator's: it waits for a moment of days in seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(kw_only=True)
class FastClock:
    """Runs `speed` times as fast as time does, from now on."""

    speed: float
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return what it shows."""
        return self.began + timedelta(seconds=(time.monotonic() - self.started) * self.speed)

    def wait_until(self, moment: datetime) -> None:
        """Sleep until it shows a moment."""
        time.sleep(max(0.0, (moment - self.now()).total_seconds() / self.speed))
