"""Times that a test can count on whenever it runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

LONGEST_TEST = timedelta(minutes=2)


def today() -> str:
    """Return the date in UTC, which does not end while a test runs: a midnight that is near is
    waited for."""
    now = datetime.now(UTC)
    if (then := now + LONGEST_TEST).date() != now.date():
        midnight = then.replace(hour=0, minute=0, second=0, microsecond=0)
        time.sleep((midnight - now).total_seconds())
    return datetime.now(UTC).date().isoformat()


def zone_where_it_is(hour: int) -> str:
    """Return a zone without summer time where the clock shows that hour now."""
    ahead = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"  # its names count westwards
