"""Genesys Cloud's conversation analytics on the wire, with its documented quirks, for one test."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.wire import Seen, http

QUERY = "/api/v2/analytics/conversations/details/query"
JOBS = "/api/v2/analytics/conversations/details/jobs"
TOO_MANY = {
    "code": "bad.request",
    "status": 400,
    "message": "Pagination may not exceed 300 results",
}


@dataclass(frozen=True)
class Talk:
    """A conversation with some messages of ours: its id, when it began and ended."""

    name: str
    start: datetime
    end: datetime
    messages: int = 1

    def shown(self) -> dict[str, Any]:
        """Return it as analytics shows it."""
        return conversation(self.name, self.start, *[{}] * self.messages)


def conversation(name: str, start: datetime, *sessions: dict[str, Any]) -> dict[str, Any]:
    """Return a conversation in which messages went out by API, with changes to each session."""
    return {
        "conversationId": name,
        "conversationStart": iso(start),
        "conversationEnd": iso(start + timedelta(seconds=5)),
        "originatingDirection": "outbound",
        "participants": [
            {
                "purpose": "api",
                "participantId": f"{name}-api",
                "sessions": [
                    {
                        "sessionId": f"s{number}",
                        "mediaType": "message",
                        "messageType": "sms",
                        "direction": "outbound",
                        "addressTo": "+13175550101",
                        "deliveryStatus": "DeliverySuccess",
                        "deliveryStatusChangeDate": iso(start + timedelta(seconds=2)),
                    }
                    | changes
                    for number, changes in enumerate(sessions, start=1)
                ],
            },
            {
                "purpose": "customer",
                "sessions": [{"sessionId": "c", "mediaType": "message", "direction": "outbound"}],
            },
        ],
    }


@dataclass
class Analytics:
    """Answers queries over its conversations; `between` is called before each page is cut."""

    talks: list[Talk] = field(default_factory=list, repr=False)
    most_hits: int = 1_000_000
    available: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    states: list[dict[str, Any]] = field(default_factory=lambda: [{"state": "FULFILLED"}])
    results: list[dict[str, Any]] = field(default_factory=list)
    off: int = 0
    refuses_at_once: bool = False
    between: Callable[[int], None] = lambda number: None
    queries: list[dict[str, Any]] = field(default_factory=list, repr=False)
    jobs: list[tuple[str, str]] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, connection: socket.socket, seen: Seen) -> None:
        status, body = self._answer(seen)
        connection.sendall(http(status, json.dumps(body).encode() if body is not None else b""))

    def _answer(self, seen: Seen) -> tuple[int, Any]:
        if seen.target == QUERY:
            return self._page(json.loads(seen.body))
        path = seen.target.removeprefix(JOBS)
        if path == "/availability":
            return 200, {"dataAvailabilityDate": iso(self.available)}
        self.jobs.append((seen.method, path))
        if seen.method == "POST":
            self.posted.append(json.loads(seen.body))
            return 202, {"jobId": "job-1"}
        if seen.method == "DELETE":
            return 204, None
        left = self.results if "/results" in path else self.states
        return 200, left.pop(0) if len(left) > 1 else left[0]

    def _page(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.queries.append(body)
        start, end = interval(body)
        size, number = body["paging"]["pageSize"], body["paging"]["pageNumber"]
        if size * number > self.most_hits:
            return 400, TOO_MANY
        self.between(number)
        found = self.listed(start, end)
        if self.refuses_at_once and len(found) > self.most_hits:
            return 400, TOO_MANY
        shown = [talk.shown() for talk in found[(number - 1) * size : number * size]]
        # Without any the platform leaves the list out.
        listed = {"conversations": shown} if shown else {}
        return 200, {"totalHits": len(found) + self.off} | listed

    def listed(self, start: datetime, end: datetime) -> Sequence[Talk]:
        """Return what overlaps an interval and began on a day (UTC) that it touches."""
        first = start.replace(hour=0, minute=0, second=0, microsecond=0)
        return [one for one in self.talks if first <= one.start < end and one.end >= start]


def interval(body: dict[str, Any]) -> tuple[datetime, datetime]:
    """Return the interval of a query."""
    start, end = body["interval"].split("/")
    return datetime.fromisoformat(start), datetime.fromisoformat(end)


def iso(moment: datetime) -> str:
    """Return a time as the platform writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
