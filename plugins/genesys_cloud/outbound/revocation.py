"""Revocation: until when a withdrawal of consent must be honoured, by a dated policy.

Public holidays are counted as business days, so that the deadline is never later than the law's.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, kw_only=True)
class RevocationPolicy:
    """Within how many business days a withdrawal must be honoured, and on whose word.

    `weekend` holds the days of the week that are no business days, Monday is 0.
    """

    dated: date
    source: str
    business_days: int
    weekend: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy; raises ValueError, with a sentence, for what is not perfectly clear."""
        table = tomllib.loads(text)
        names = {"dated", "source", "business_days", "weekend"}
        if set(table) != names:
            raise ValueError(f"It needs {', '.join(sorted(names))}, and no more.")
        dated, source = table["dated"], table["source"]
        days, weekend = table["business_days"], table["weekend"]
        if not isinstance(dated, date) or isinstance(dated, datetime):
            raise ValueError("`dated` is not a date, such as 2026-11-23.")
        if not isinstance(source, str) or not source.strip():
            raise ValueError("`source` says nothing.")
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 366:
            raise ValueError(f"`business_days` is {days!r}; give a whole number from 1 to 366.")
        if not isinstance(weekend, list) or not set(map(str, weekend)) < set(_DAYS):
            raise ValueError("`weekend` is no list of days such as saturday, or is all of them.")
        return cls(
            dated=dated,
            source=source,
            business_days=days,
            weekend=frozenset(_DAYS.index(day) for day in weekend),
        )

    def honour_by(self, received_at: datetime) -> datetime:
        """Return the deadline of a withdrawal: as late in the day as it came, in UTC."""
        deadline, left = received_at.astimezone(UTC), self.business_days
        while left:
            deadline += timedelta(days=1)
            left -= deadline.weekday() not in self.weekend
        return deadline
