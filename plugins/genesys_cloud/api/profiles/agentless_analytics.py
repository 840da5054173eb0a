"""The `agentless` profile's analytics: conversations asked for by time, read as deliveries.

Source: the official SDK's models ConversationQuery, AsyncConversationQuery and AnalyticsSession.
Analytics knows no message ids: `<conversation id>/<session id>` stands in their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from genesys_cloud.api.profiles import vocabulary
from genesys_cloud.api.profiles.addressing import ADDRESSING, channel_of, ledger_address
from genesys_cloud.api.profiles.fields import identifier, instant, mapping, parse_time, text
from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.outbound.deliveries import Delivery

QUERY = "/api/v2/analytics/conversations/details/query"
JOBS = "/api/v2/analytics/conversations/details/jobs"
AVAILABILITY = f"{JOBS}/availability"

PAGE_SIZE = 100
MOST_DAYS = 31
"""The longest interval of one query."""

MOST_HITS = 100_000
"""Conversations of one query that can be paged through."""

_LONGEST_CONVERSATION_ID = 128
_LONGEST_STATUS = 64
_LONGEST_ADDRESS = 320
_SENT = ("message", "outbound")
_MESSENGER_TYPES = {"openmessaging": "open", "applemessagesforbusiness": "apple"}
"""What analytics calls otherwise than the send does."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which messages are asked for: created in [start, end), of some statuses or recipients.

    Statuses are our words and recipients in the ledger's form; none of them means all.
    """

    start: datetime
    end: datetime
    statuses: Sequence[str] = ()
    recipients: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class ConversationPage:
    """Some conversations: how many deliveries each holds, and these themselves.

    `total` is the count of conversations over all pages, None where it is not said.
    """

    sizes: Mapping[str, int]
    deliveries: Sequence[Delivery] = field(repr=False)
    total: int | None
    has_more: bool


@dataclass(frozen=True, kw_only=True)
class JobState:
    """How far an asynchronous job is: the platform's word, and its reason where it failed."""

    word: str
    reason: str


def query_body(wanted: Wanted, number: int) -> dict[str, Any]:
    """Return the body of a query for one page."""
    return _body(wanted) | {"paging": {"pageSize": PAGE_SIZE, "pageNumber": number}}


def job_body(wanted: Wanted) -> dict[str, Any]:
    """Return the body of a job for the conversations that a query would list.

    A job lists what overlaps the interval; a query only what began on a day that it touches.
    """
    return _body(wanted) | {"startOfDayIntervalMatching": True}


def job_path(job_id: str) -> str:
    """Return the path of one job."""
    return f"{JOBS}/{quote(job_id, safe='')}"


def results_path(job_id: str, cursor: str | None) -> str:
    """Return the path of one page of a job's results."""
    path = f"{job_path(job_id)}/results"
    return path if cursor is None else f"{path}?{urlencode({'cursor': cursor})}"


def parse_page(body: object, number: int, *, most: int = MOST_HITS) -> ConversationPage:
    """Return a page of a query; raises PagingError for what is none.

    Totals are approximate, so that a page is the last one where it is empty, or short and the
    total says so too; or where the next one would be beyond the `most` that can be paged through.
    """
    said = mapping(body).get("totalHits")
    total = said if isinstance(said, int) and not isinstance(said, bool) else None
    found = _conversations(body, may_lack=total is not None)
    full = len(found) >= PAGE_SIZE
    counted_on = total is not None and number * PAGE_SIZE < total
    more = bool(found) and (full or counted_on) and number * PAGE_SIZE < most
    return _page(found, total, has_more=more)


def parse_results(body: object) -> tuple[ConversationPage, str | None]:
    """Return a page of a job's results and the cursor of the next one, None at the end."""
    fields = mapping(body)
    given = fields.get("cursor")
    cursor = text(given, 10_000)
    if given and cursor != given:
        raise PagingError(
            "The results of an analytics job name a next page that can't be asked for: the cursor "
            "is no text. Try again; the query takes over where it lasts."
        )
    found = _conversations(body, may_lack="dataAvailabilityDate" in fields)
    return _page(found, None, has_more=cursor is not None), cursor


def parse_job_id(body: object) -> str:
    """Return the id of a job that was taken; raises PagingError where there is none."""
    job_id = identifier(mapping(body).get("jobId"))
    if job_id is None:
        raise PagingError("Genesys Cloud took an analytics job and gave no id for it. Try again.")
    return job_id


def parse_job_state(body: object) -> JobState:
    """Return how far a job is."""
    fields = mapping(body)
    return JobState(
        word=text(fields.get("state"), _LONGEST_STATUS) or "unknown",
        reason=text(fields.get("errorMessage"), 300) or "no reason given",
    )


def parse_availability(body: object) -> datetime | None:
    """Return up to when jobs have data, None where that is not said."""
    return parse_time(mapping(body).get("dataAvailabilityDate"))


def is_too_many(error: RequestRejectedError) -> bool:
    """Return whether a query was refused for the number of its results."""
    words = str(error).lower()
    return error.status == 400 and "pagination" in words and "exceed" in words


def _body(wanted: Wanted) -> dict[str, Any]:
    ours = {"mediaType": "message", "direction": "outbound", "purpose": "api"}
    filters = [
        ("and", list(ours.items())),
        ("or", list(_status_words(wanted.statuses))),
        ("or", _addresses(wanted.recipients)),
    ]
    return {
        "interval": f"{instant(wanted.start)}/{instant(wanted.end)}",
        "order": "asc",
        "orderBy": "conversationStart",
        "segmentFilters": [
            {"type": how, "predicates": [_predicate(*pair) for pair in pairs]}
            for how, pairs in filters
            if pairs
        ],
    }


def _predicate(dimension: str, value: str) -> dict[str, str]:
    return {"type": "dimension", "dimension": dimension, "operator": "matches", "value": value}


def _status_words(statuses: Iterable[str]) -> Iterator[tuple[str, str]]:
    for status in statuses:
        words = vocabulary.VOCABULARY.get(status)
        for word in words.analytics if words else (status,):
            yield "deliveryStatus", word


def _addresses(recipients: Iterable[str]) -> list[tuple[str, str]]:
    """Return the recipients' addresses, or none of them where one can't be asked for.

    An external contact is the customer's, and not found in the session that the API has.
    """
    found = []
    for recipient in recipients:
        provider, colon, _ = recipient.partition(":")
        way = ADDRESSING.get(f"messaging:{provider}" if colon else "messaging:sms")
        if way is None or way.recipient_field == "externalContactId":
            return []
        found.append(("addressTo", way.recipient(recipient)))
    return found


def _conversations(body: object, *, may_lack: bool) -> list[object]:
    """Return the conversations of an answer; without any, the platform leaves the list out."""
    fields = mapping(body)
    found = fields.get("conversations")
    if found is None and (may_lack or body == {} or "conversations" in fields):
        return []
    if not isinstance(found, list):
        raise PagingError(
            "The answer is no page of conversations: it holds no list of them. Check that the "
            "host is Genesys Cloud and that no proxy answers in its place."
        )
    return found


def _page(found: Iterable[object], total: int | None, *, has_more: bool) -> ConversationPage:
    sizes: dict[str, int] = {}
    deliveries: list[Delivery] = []
    for conversation in map(mapping, found):
        name = identifier(conversation.get("conversationId"), _LONGEST_CONVERSATION_ID)
        if name is None:
            raise PagingError("Analytics lists a conversation without an id: it can't be counted")
        mine = list(_deliveries(name, conversation))
        sizes[name] = len(mine)
        deliveries += mine
    return ConversationPage(sizes=sizes, deliveries=deliveries, total=total, has_more=has_more)


def _deliveries(name: str, conversation: Mapping[str, Any]) -> Iterator[Delivery]:
    """Yield what went out by API in a conversation."""
    participants = [mapping(each) for each in _items(conversation.get("participants"))]
    contacts = (identifier(each.get("externalContactId")) for each in participants)
    contact = next(filter(None, contacts), None)
    for participant in participants:
        if _word(participant, "purpose") == "api":
            for session in map(mapping, _items(participant.get("sessions"))):
                if (_word(session, "mediaType"), _word(session, "direction")) == _SENT:
                    started = parse_time(conversation.get("conversationStart"))
                    yield _delivery(name, started, session, contact)


def _delivery(
    name: str, started: datetime | None, session: Mapping[str, Any], contact: str | None
) -> Delivery:
    session_id = identifier(session.get("sessionId"))
    if session_id is None:
        raise PagingError(f"Conversation {name} has a session without an id: it can't be counted")
    channel = _channel(session)
    status = vocabulary.from_analytics(
        text(session.get("deliveryStatus"), _LONGEST_STATUS) or "unknown"
    )
    # Analytics keeps the latest status alone, and when it came about.
    at = {status: parse_time(session.get("deliveryStatusChangeDate"))}
    return Delivery(
        message_id=f"{name}/{session_id}",
        conversation_id=name,
        channel=channel,
        status=status,
        created_at=started,
        sent_at=at.get("sent"),
        delivered_at=at.get("delivered"),
        read_at=at.get("read"),
        failed_at=at.get("failed"),
        error_code=_error_code(session) if status == "failed" else None,
        recipient=ledger_address(channel, _recipient(channel, session, contact)),
    )


def _channel(session: Mapping[str, Any]) -> str:
    said = text(session.get("messageType"), _LONGEST_STATUS)
    return channel_of(_MESSENGER_TYPES.get(said.lower(), said) if said else None)


def _recipient(channel: str, session: Mapping[str, Any], contact: str | None) -> str | None:
    way = ADDRESSING.get(channel)
    if way is not None and way.recipient_field == "externalContactId":
        return contact
    address = text(session.get("addressTo"), _LONGEST_ADDRESS)
    return address.removeprefix("tel:") if address else None


def _error_code(session: Mapping[str, Any]) -> str | None:
    """Return the most precise reason that a session gives for its failure."""
    codes = [mapping(each).get("errorCode") for each in _items(session.get("segments"))]
    said = (session.get("extendedDeliveryStatus"), session.get("errorCodeDescription"))
    return next(filter(None, map(text, (*reversed(codes), *said))), None)


def _word(fields: Mapping[str, Any], name: str) -> str:
    return (text(fields.get(name)) or "").lower()


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
