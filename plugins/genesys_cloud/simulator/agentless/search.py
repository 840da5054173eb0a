"""What an analytics query asks for, and the conversations that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genesys_cloud.simulator.agentless.conversations import (
    DAY_MS,
    Conversation,
    ConversationStore,
)
from genesys_cloud.simulator.agentless.filters import compile_filters
from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.instants import from_iso

MOST_DAYS = 31
TOO_LONG = (
    "You must specify a search interval as part of your query "
    f"that does not exceed {MOST_DAYS} days."
)
_ORDERS = ("asc", "desc", "unordered")
_STARTS, _ENDS = ("conversationStart", "segmentStart"), ("conversationEnd", "segmentEnd")
STILL_OPEN = 1 << 62


@dataclass(frozen=True, slots=True)
class Search:
    """A query that was understood: [start, end) in ms, its filters, its order."""

    start_ms: int
    end_ms: int
    matches: Callable[[Conversation], bool]
    descending: bool
    by_end: bool

    def run(self, store: ConversationStore, *, same_day: bool) -> list[Conversation]:
        """Return what is found, in order."""
        within = store.overlapping(self.start_ms, self.end_ms, same_day=same_day)
        found = [each for each in within if self.matches(each)]
        if self.by_end:
            found.sort(key=lambda each: STILL_OPEN if each.end_ms is None else each.end_ms)
        return found[::-1] if self.descending else found


def parse(body: dict[str, Any], *, most_days: int | None = MOST_DAYS) -> Search:
    """Return the search that a body describes; raises ApiError 400."""
    start_ms, end_ms = _interval(body.get("interval"))
    if most_days is not None and end_ms - start_ms > most_days * DAY_MS:
        raise ApiError(400, "bad.request", TOO_LONG)
    order, by = body.get("order", "asc"), body.get("orderBy", "conversationStart")
    if order not in _ORDERS or by not in _STARTS + _ENDS:
        message = f"order is one of {', '.join(_ORDERS)}; orderBy of {', '.join(_STARTS + _ENDS)}."
        raise ApiError(400, "invalid.value", message)
    return Search(start_ms, end_ms, compile_filters(body), order == "desc", by in _ENDS)


def _interval(text: Any) -> tuple[int, int]:
    if not isinstance(text, str):
        raise ApiError(400, "bad.request", TOO_LONG)
    try:
        start_ms, end_ms = (from_iso(part) for part in text.split("/"))
    except ValueError:
        message = "interval is two ISO 8601 instants with an offset: start/end."
        raise ApiError(400, "invalid.date", message) from None
    if start_ms >= end_ms:
        raise ApiError(400, "invalid.date", "interval ends before it begins.")
    return start_ms, end_ms
