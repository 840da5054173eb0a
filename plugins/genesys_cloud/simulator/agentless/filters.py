"""The filters of an analytics query, turned into one question about a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from genesys_cloud.simulator.agentless.analytics_shape import (
    DIVISION,
    purposes,
    session_direction,
)
from genesys_cloud.simulator.agentless.conversations import Conversation
from genesys_cloud.simulator.agentless.shapes import PROVIDER
from genesys_cloud.simulator.agentless.words import WORDS
from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.instants import to_iso

Session = tuple[Conversation, str]
"""A conversation and the purpose of the participant whose session it is."""
Row = TypeVar("Row")
Test = Callable[[Row], bool]
Dimensions = Mapping[str, Callable[[Row], str | None]]


def _is_sent(row: Session) -> bool:
    return session_direction(*row) == "outbound"


def _address_to(row: Session) -> str | None:
    if not _is_sent(row):
        return row[0].sender
    return None if row[0].channel == "webmessaging" else row[0].recipient


def _status(row: Session) -> str | None:
    word = WORDS.get(row[0].status or "")
    return word.analytics if word and row[1] == "api" else None


SEGMENT: Dimensions[Session] = {
    "mediaType": lambda row: "message",
    "direction": lambda row: session_direction(*row),
    "purpose": lambda row: row[1],
    "messageType": lambda row: row[0].channel,
    "provider": lambda row: PROVIDER,
    "addressTo": _address_to,
    "addressFrom": lambda row: row[0].sender if _is_sent(row) else row[0].recipient,
    "remote": lambda row: row[0].recipient,
    "externalContactId": lambda row: row[0].recipient if row[0].channel == "webmessaging" else None,
    "deliveryStatus": _status,
    "errorCode": lambda row: row[0].error_code if row[1] == "api" else None,
    "segmentType": lambda row: "interact",
    "segmentEnd": lambda row: _end(row[0]),
    "outboundCampaignId": lambda row: None,
}


def _end(row: Conversation) -> str | None:
    return None if row.end_ms is None else to_iso(row.end_ms)


CONVERSATION: Dimensions[Conversation] = {
    "conversationId": lambda row: row.id,
    "conversationStart": lambda row: to_iso(row.start_ms),
    "conversationEnd": _end,
    "conversationInitiator": lambda row: row.initiator,
    "originatingDirection": lambda row: row.direction,
    "customerParticipation": lambda row: str(row.initiator == "customer").lower(),
    "divisionId": lambda row: DIVISION,
}


def compile_filters(body: dict[str, Any]) -> Test[Conversation]:
    """Return whether a conversation is asked for; raises ApiError 400 for a bad filter.

    All segment filters have to hold for one and the same session.
    """
    whole = _every(_filter(each, CONVERSATION) for each in _list(body, "conversationFilters"))
    one_session = _every(_filter(each, SEGMENT) for each in _list(body, "segmentFilters"))

    def matches(known: Conversation) -> bool:
        return whole(known) and any(one_session((known, each)) for each in purposes(known))

    return matches


def _list(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ApiError(400, "bad.request", f"{name} is not a list of objects.")
    return found


def _filter(given: dict[str, Any], dimensions: Dimensions[Row]) -> Test[Row]:
    tests = [_predicate(each, dimensions) for each in _list(given, "predicates")]
    tests += [_filter(each, dimensions) for each in _list(given, "clauses")]
    if given.get("type") not in ("and", "or") or not tests:
        message = "A filter has a type, and or or, and at least one predicate or clause."
        raise ApiError(400, "bad.request", message)
    return _every(tests) if given["type"] == "and" else _any(tests)


def _predicate(given: dict[str, Any], dimensions: Dimensions[Row]) -> Test[Row]:
    name, operator = str(given.get("dimension")), given.get("operator") or "matches"
    if given.get("type", "dimension") != "dimension" or name not in dimensions:
        raise ApiError(400, "invalid.value", f"Invalid dimension {name!r} in a filter.")
    value_of, wanted = dimensions[name], given.get("value")
    if operator == "exists":
        return lambda row: value_of(row) is not None
    if operator == "notExists":
        return lambda row: value_of(row) is None
    if operator != "matches" or not isinstance(wanted, str):
        raise ApiError(400, "invalid.value", f"Invalid operator or value for {name}.")
    return lambda row: value_of(row) == wanted


def _every(tests: Iterable[Test[Row]]) -> Test[Row]:
    found = list(tests)
    return lambda row: all(test(row) for test in found)


def _any(tests: Iterable[Test[Row]]) -> Test[Row]:
    found = list(tests)
    return lambda row: any(test(row) for test in found)
