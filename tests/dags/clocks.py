"""Zones by what their clocks show now, so that a test has a night whenever it runs."""

from __future__ import annotations

from datetime import UTC, datetime


def zone_where_it_is(hour: int) -> str:
    """Return a zone without summer time where the clock shows that hour now."""
    ahead = (hour - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"  # its names count westwards
