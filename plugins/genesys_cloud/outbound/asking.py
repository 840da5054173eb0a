"""When Genesys is asked about a status that never arrived.

A status event can get lost: Genesys gives up on an address that is away for too long. So a message
without a final status is asked about once its last status is `FIRST_ASK` old, then at growing
distances, at ages of 1, 2, 4, 8, 16 and 32 hours and from there on daily, for `OLDEST_ASKED` after
its send. Many channels never report a delivery, so that most such questions have no new answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_ASK = timedelta(hours=1)
"""How old the last status is before anybody asks; the least distance between two questions."""

LONGEST_DISTANCE = timedelta(days=1)
"""The most that two questions about a message are apart."""

OLDEST_ASKED = timedelta(days=7)
"""How long after its send a message is asked about."""


def next_ask(now: datetime, since: datetime, *, first: timedelta = FIRST_ASK) -> datetime:
    """Return when to ask again about a message that was asked about now.

    `since` is when its status was reached: the distance to the next question is as long as the
    status has stood by then, which doubles its age from one question to the next.
    """
    return now + min(max(now - since, first), max(LONGEST_DISTANCE, first))
