"""When Genesys is asked about a status that has not arrived.

Every question about a message that brought nothing new doubles the age at which the next one is
asked, up to a longest distance, for some days after its send. Many channels never report a
delivery, so that most late questions have no new answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When to ask about a message.

    `first` is how old its status is before anybody asks, and the least distance between two
    questions; `longest_distance` is the most that they are apart, where `first` is no longer;
    `oldest` is how long after its send a message is asked about.
    """

    first: timedelta
    longest_distance: timedelta
    oldest: timedelta

    def __post_init__(self) -> None:
        if not timedelta() < min(self.first, self.longest_distance, self.oldest):
            raise ValueError("every length of a schedule must be above 0")

    def next_ask(self, now: datetime, since: datetime) -> datetime:
        """Return when to ask again about a message that was asked about now.

        `since` is when its status was reached: the distance to the next question is as long as the
        status has stood by then, which doubles its age from one question to the next.
        """
        longest = max(self.longest_distance, self.first)
        return now + min(max(now - since, self.first), longest)

    def starting_at(self, first: timedelta) -> Schedule:
        """Return the schedule with another first question."""
        return replace(self, first=first)


EVENTS_LOST = Schedule(
    first=timedelta(hours=1), longest_distance=timedelta(days=1), oldest=timedelta(days=7)
)
"""Where Genesys pushes events and few get lost: at ages of 1, 2, 4, 8, 16 and 32 hours, then daily.

An event gets lost where Genesys gives up on an address that is away for too long."""

POLLED = Schedule(
    first=timedelta(seconds=10), longest_distance=timedelta(hours=12), oldest=timedelta(days=10)
)
"""Where nothing is pushed: at ages of 10, 20, 40 seconds and so on, then twice a day.

A carrier takes seconds to days to report a delivery."""
