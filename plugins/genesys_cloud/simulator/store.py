"""The messages, in order of creation, and the log of those that were accepted."""

from __future__ import annotations

import uuid
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol

from genesys_cloud.simulator.channels import address_of, text_of
from genesys_cloud.simulator.instants import from_iso, to_iso

STATUSES = ("queued", "sent", "delivered", "read", "failed")
DATES = ("createdDate", "sentDate", "deliveredDate", "readDate", "failedDate")
Entity = dict[str, Any]

_CREATED = attrgetter("created_ms")


@dataclass(slots=True)
class Message:
    """A message: its entity is what the API shows, and changes as the message moves on."""

    created_ms: int
    entity: Entity
    text: str = ""
    changed_ms: int = 0

    @property
    def recipient(self) -> str:
        """Return the address of the one recipient."""
        return address_of(self.entity["to"][0])

    def as_log_entry(self) -> dict[str, Any]:
        """Return what the simulator's own log says about an accepted message."""
        shown = {key: self.entity[key] for key in ("id", "channelType", "metadata", "status")}
        return shown | {
            "from": address_of(self.entity["from"]),
            "to": self.recipient,
            "text": self.text,
            "acceptedAt": self.entity["createdDate"],
        }


class Logged(Protocol):
    """What was accepted, of whichever profile."""

    def as_log_entry(self) -> dict[str, Any]:
        """Return what the simulator's own log says about it."""


class MessageStore:
    """Messages found by id and by time of creation."""

    def __init__(self) -> None:
        self.accepted: list[Logged] = []
        self._by_id: dict[str, Message] = {}
        self._ordered: list[Message] = []
        self._counts = Counter[str]()
        self._version = 0
        self._last_search: tuple[Any, list[Message]] | None = None

    def accept(self, payload: dict[str, Any], created_ms: int) -> Message:
        """Log a valid payload as a queued message and return it."""
        entity: Entity = {
            "id": _new_id(),
            "channelType": payload["channelType"],
            "status": "queued",
            **dict.fromkeys(DATES),
            "from": payload["from"],
            "to": payload["to"],
            "metadata": payload["metadata"],
        }
        entity["createdDate"] = to_iso(created_ms)
        message = Message(created_ms, entity, text_of(payload), created_ms)
        self.accepted.append(message)
        self._add(message)
        return message

    def load(self, entities: Iterable[Entity]) -> int:
        """Take entities as given, updating those whose id is known; return how many.

        Raises KeyError, TypeError or ValueError for one without a usable createdDate and status,
        and then takes none.
        """
        checked = [(_created_ms(entity), entity) for entity in entities]
        for created_ms, entity in checked:
            self._take(created_ms, entity)
        self._ordered.sort(key=_CREATED)
        self._version += 1
        return len(checked)

    def advance(
        self, message: Message, status: str, at_ms: int, error_code: str | None = None
    ) -> None:
        """Move a message to a status; one that fails carries an error code."""
        self._counts[message.entity["status"]] -= 1
        self._counts[status] += 1
        message.entity["status"] = status
        message.entity[f"{status}Date"] = to_iso(at_ms)
        if error_code is not None:
            message.entity["errorCode"] = error_code
        self._version += 1

    def get(self, message_id: str) -> Message | None:
        """Return a message by its id."""
        return self._by_id.get(message_id)

    def search(
        self, start_ms: int | None, end_ms: int | None, statuses: frozenset[str]
    ) -> list[Message]:
        """Return the messages created in [start, end), any status when none is named."""
        question = (self._version, len(self._ordered), start_ms, end_ms, statuses)
        if self._last_search is None or self._last_search[0] != question:
            low = 0 if start_ms is None else bisect_left(self._ordered, start_ms, key=_CREATED)
            high = None if end_ms is None else bisect_left(self._ordered, end_ms, key=_CREATED)
            found = self._ordered[low:high]
            if statuses:
                found = [message for message in found if message.entity["status"] in statuses]
            # Pages are asked for one after the other: the last answer serves the next page.
            self._last_search = (question, found)
        return self._last_search[1]

    def count_by_status(self) -> dict[str, int]:
        """Return how many messages stand at each status."""
        return {status: self._counts[status] for status in STATUSES}

    def __len__(self) -> int:
        return len(self._ordered)

    def _add(self, message: Message) -> None:
        self._by_id[message.entity["id"]] = message
        self._counts[message.entity["status"]] += 1
        if self._ordered and self._ordered[-1].created_ms > message.created_ms:
            insort(self._ordered, message, key=_CREATED)
        else:
            self._ordered.append(message)

    def _take(self, created_ms: int, entity: Entity) -> None:
        known = self._by_id.get(entity.get("id", ""))
        if known is not None:
            self._counts[known.entity["status"]] -= 1
            self._counts[entity["status"]] += 1
            known.created_ms = created_ms
            known.entity.update(entity)
            return
        message = Message(created_ms, {"id": _new_id(), **dict.fromkeys(DATES)} | entity)
        self._by_id[message.entity["id"]] = message
        self._counts[message.entity["status"]] += 1
        self._ordered.append(message)


def _new_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


def _created_ms(entity: Entity) -> int:
    if entity["status"] not in STATUSES:
        raise ValueError(f"{entity['status']!r} is no status")
    return from_iso(entity["createdDate"])
