"""When a campaign will have sent its last message, at the rates that it may send at.

An estimate in the limits' own arithmetic (pacing.py): each release, such as all that one window of
quiet hours lets go, takes as long as its slowest limit gives, and waits for those before it.
Windows that shut while it sends, other campaigns on the account and failures are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from genesys_cloud.outbound.pacing import Limit


@dataclass(frozen=True, kw_only=True)
class Release:
    """What may go out from an instant on; `opens_at` None is as soon as the campaign starts."""

    opens_at: datetime | None
    messages: int
    segments: int


@dataclass(frozen=True, kw_only=True)
class Finish:
    """When the last message goes out, None where no limit is known.

    `starts_at` is the first instant that sends; `paced_by` is the limit that takes longest;
    `late` messages would still be waiting at the `deadline`, and expire.
    """

    starts_at: datetime
    at: datetime | None
    paced_by: str | None = None
    deadline: datetime | None = None
    late: int = 0


def estimate_finish(
    releases: Iterable[Release],
    limits: Sequence[Limit],
    *,
    start: datetime,
    deadline: datetime | None = None,
) -> Finish:
    """Return when all releases will have gone out that nobody holds up after `start`."""
    ordered = sorted(
        (max(start, each.opens_at or start), each.messages, each.segments)
        for each in releases
        if each.messages
    )
    first = ordered[0][0] if ordered else start
    clock, late = start, 0
    for opens_at, messages, segments in ordered:
        begins = max(clock, opens_at)
        took = max((_takes(limit, messages, segments) for limit in limits), default=0)
        clock = begins + timedelta(microseconds=took)
        late += _late(begins, clock, deadline, messages)
    if not limits:
        return Finish(starts_at=first, at=None, deadline=deadline, late=late)
    total = sum(each[1] for each in ordered), sum(each[2] for each in ordered)
    slowest = max(limits, key=lambda limit: _takes(limit, *total))
    return Finish(
        starts_at=first, at=clock, paced_by=slowest.name, deadline=deadline, late=late
    )  # fmt: skip


def _takes(limit: Limit, messages: int, segments: int) -> int:
    """Return the microseconds that a limit gives so much, an SMS having at least one segment."""
    units = max(messages, segments) if limit.unit == "segment" else messages
    return limit.interval_us * units


def _late(begins: datetime, ends: datetime, deadline: datetime | None, messages: int) -> int:
    """Return how many of a release, spread evenly, have not gone out by the deadline."""
    if deadline is not None and deadline <= begins:
        return messages
    if deadline is None or ends <= deadline:
        return 0
    return messages - messages * ((deadline - begins) // timedelta(microseconds=1)) // (
        (ends - begins) // timedelta(microseconds=1)
    )
