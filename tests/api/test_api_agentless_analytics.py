"""Queries are as the platform documents them, and whatever it answers is read or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.profiles import agentless_analytics as profile
from genesys_cloud.api.profiles.agentless_analytics import Wanted
from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.outbound.deliveries import Delivery
from tests.api.analytics import conversation

START = datetime(2026, 11, 15, tzinfo=UTC)
DAY = Wanted(start=START, end=START + timedelta(days=1))
NOON = START + timedelta(hours=12)


def parsed(*conversations: Any) -> list[Delivery]:
    body = {"conversations": list(conversations), "totalHits": len(conversations)}
    return list(profile.parse_page(body, 1).deliveries)


def one(**changes: Any) -> Delivery:
    (delivery,) = parsed(conversation("c1", NOON, changes))
    return delivery


def test_a_query_is_the_documented_one() -> None:
    predicates = [
        {"type": "dimension", "dimension": dimension, "operator": "matches", "value": value}
        for dimension, value in (
            ("mediaType", "message"), ("direction", "outbound"), ("purpose", "api"),
        )
    ]  # fmt: skip
    assert profile.query_body(DAY, 3) == {
        "interval": "2026-11-15T00:00:00.000Z/2026-11-16T00:00:00.000Z",
        "order": "asc",
        "orderBy": "conversationStart",
        "segmentFilters": [{"type": "and", "predicates": predicates}],
        "paging": {"pageSize": 100, "pageNumber": 3},
    }


def test_a_job_asks_for_what_the_query_lists() -> None:
    job, query = profile.job_body(DAY), profile.query_body(DAY, 1)
    assert job.pop("startOfDayIntervalMatching") is True
    del query["paging"]
    assert job == query


def test_recipients_and_statuses_narrow_in_the_platforms_own_words() -> None:
    wanted = Wanted(
        start=DAY.start,
        end=DAY.end,
        statuses=["failed", "strange"],
        recipients=[
            "+13175550101",
            "whatsapp:+13175550102",
            "apple:+13175550103",
            "open:user@service.example",
        ],
    )
    _, statuses, recipients = profile.query_body(wanted, 1)["segmentFilters"]
    assert (statuses["type"], recipients["type"]) == ("or", "or")
    assert [each["value"] for each in statuses["predicates"]] == [
        "Failed",
        "DeliveryFailed",
        "strange",
    ]
    assert [(each["dimension"], each["value"]) for each in recipients["predicates"]] == [
        ("addressTo", "+13175550101"),
        ("addressTo", "13175550102"),
        ("addressTo", "+13175550103"),
        ("addressTo", "user@service.example"),
    ]


@pytest.mark.parametrize("other", ["web:contact-1", "facebook:1234"])
def test_where_one_recipient_can_not_be_asked_for_everybody_is_listed(other: str) -> None:
    wanted = Wanted(start=DAY.start, end=DAY.end, recipients=["+13175550101", other])
    assert profile.query_body(wanted, 1) == profile.query_body(DAY, 1)


def test_recipients_are_in_no_repr() -> None:
    assert "1317" not in repr(Wanted(start=START, end=NOON, recipients=["+13175550101"]))


def test_a_session_is_read_as_a_delivery() -> None:
    assert one() == Delivery(
        message_id="c1/s1",
        conversation_id="c1",
        channel="messaging:sms",
        status="delivered",
        created_at=NOON,
        delivered_at=NOON + timedelta(seconds=2),
        recipient="+13175550101",
    )


@pytest.mark.parametrize(
    ("word", "status", "dated"),
    [
        ("Queued", "queued", None),
        ("Sent", "sent", "sent_at"),
        ("DeliveryPushed", "sent", "sent_at"),
        ("Read", "read", "read_at"),
        ("DeliveryFailed", "failed", "failed_at"),
        ("SomethingNew", "SomethingNew", None),
        (None, "unknown", None),
    ],
)
def test_the_latest_status_alone_has_its_time(
    word: str | None, status: str, dated: str | None
) -> None:
    delivery = one(deliveryStatus=word)
    assert delivery.status == status
    times = ("sent_at", "delivered_at", "read_at", "failed_at")
    assert {name for name in times if getattr(delivery, name)} == ({dated} if dated else set())


@pytest.mark.parametrize(
    ("messenger", "address", "channel", "recipient"),
    [
        ("SMS", "tel:+13175550101", "messaging:sms", "+13175550101"),
        ("WhatsApp", "13175550101", "messaging:whatsapp", "whatsapp:+13175550101"),
        ("whatsapp", "+13175550101", "messaging:whatsapp", "whatsapp:+13175550101"),
        ("OpenMessaging", "user@x.example", "messaging:open", "open:user@x.example"),
        ("open", "user@x.example", "messaging:open", "open:user@x.example"),
        ("AppleMessagesForBusiness", "+13175550101", "messaging:apple", "apple:+13175550101"),
        ("Facebook", "123", "messaging:facebook", "123"),
        (None, "123", "unknown", "123"),
    ],
)
def test_channel_and_recipient_are_in_our_form(
    messenger: str | None, address: str, channel: str, recipient: str
) -> None:
    delivery = one(messageType=messenger, addressTo=address)
    assert (delivery.channel, delivery.recipient) == (channel, recipient)


def test_web_messaging_goes_to_the_external_contact_of_the_conversation() -> None:
    talk = conversation("c1", NOON, {"messageType": "webmessaging", "addressTo": None})
    talk["participants"][1]["externalContactId"] = "contact-1"
    (delivery,) = parsed(talk)
    assert delivery.recipient == "web:contact-1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"segments": [{"errorCode": "e.1"}, {"errorCode": "e.2"}]}, "e.2"),
        ({"extendedDeliveryStatus": "30005", "errorCodeDescription": "Unknown"}, "30005"),
        ({"errorCodeDescription": "The number is not in service"}, "The number is not in service"),
        ({}, None),
    ],
)
def test_a_failure_has_the_most_precise_reason(changes: dict[str, Any], code: str | None) -> None:
    assert one(deliveryStatus="DeliveryFailed", **changes).error_code == code
    assert one(deliveryStatus="DeliverySuccess", **changes).error_code is None


def test_only_what_the_api_sent_is_listed() -> None:
    talk = conversation(
        "c1", NOON, {}, {"direction": "inbound"}, {"mediaType": "voice"}, {"sessionId": "last"}
    )
    agent = {"purpose": "agent", "sessions": talk["participants"][0]["sessions"]}
    talk["participants"].append(agent)
    assert [delivery.message_id for delivery in parsed(talk)] == ["c1/s1", "c1/last"]


def test_a_page_says_how_many_messages_each_conversation_holds() -> None:
    talks = [conversation("two", NOON, {}, {}), conversation("none", NOON)]
    page = profile.parse_page({"conversations": talks, "totalHits": 2}, 1)
    assert page.sizes == {"two": 2, "none": 0}


@pytest.mark.parametrize(
    ("count", "total", "number", "more"),
    [
        (100, 250, 1, True),
        (50, 250, 3, False),
        (100, 100, 1, True),  # a total may be too low, so that a full page is no end
        (60, 250, 2, True),  # and a page may be short of what has moved to another
        (0, 250, 3, False),
        (100, None, 1, True),
        (99, None, 1, False),
        (100, 200_000, 1000, False),  # nothing may be asked for beyond 100,000
    ],
)
def test_whether_a_page_follows(count: int, total: int | None, number: int, more: bool) -> None:
    talks = [conversation(f"c{n}", NOON, {}) for n in range(count)]
    body = {"conversations": talks} | ({} if total is None else {"totalHits": total})
    page = profile.parse_page(body, number)
    assert (page.has_more, page.total) == (more, total)


def test_no_conversations_are_no_list_at_all() -> None:
    assert profile.parse_page({"totalHits": 0}, 1).sizes == {}
    beyond = profile.parse_page({"totalHits": 300}, 4)
    assert (beyond.sizes, beyond.has_more) == ({}, False)
    page, cursor = profile.parse_results({"dataAvailabilityDate": "2026-11-16T00:00:00Z"})
    assert (page.sizes, cursor) == ({}, None)


@pytest.mark.parametrize("body", [None, [], {"totalHits": "3"}, {"conversations": "none"}])
def test_what_is_no_page_is_refused(body: object) -> None:
    with pytest.raises(PagingError, match="no page of conversations"):
        profile.parse_page(body, 1)
    with pytest.raises(PagingError, match="no page of conversations"):
        profile.parse_results(body)


def test_what_has_no_id_can_not_be_counted() -> None:
    with pytest.raises(PagingError, match="without an id"):
        parsed(conversation("x" * 500, NOON, {}))
    with pytest.raises(PagingError, match="session without an id"):
        one(sessionId=7)


def test_a_job_without_an_id_and_a_cursor_that_is_none_are_refused() -> None:
    with pytest.raises(PagingError, match="no id for it"):
        profile.parse_job_id({"jobId": ["x"]})
    for cursor in (7, ["x"], "\0", "x" * 20_000):
        with pytest.raises(PagingError, match="cursor is no text"):
            profile.parse_results({"conversations": [], "cursor": cursor})


NASTY = ("", "api", "message", "outbound", "x" * 400, "\0", "\ud800", "\u202e", "0001-01-01T00:00Z")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(NASTY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("sessions", "sessionId", "errorCode")), inner, max_size=2
        )
    ),
    max_leaves=6,
)
FIELDS = (
    "conversationId", "conversationStart", "participants", "sessions", "purpose", "sessionId",
    "mediaType", "messageType", "direction", "addressTo", "deliveryStatus", "segments",
    "deliveryStatusChangeDate", "extendedDeliveryStatus", "errorCodeDescription", "errorCode",
    "externalContactId",
)  # fmt: skip


@given(garbage=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_hostile_fields_are_read_or_refused(garbage: dict[str, Any]) -> None:
    talk: Any = conversation("c1", NOON, {"deliveryStatus": "Failed", "segments": [{}]})

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: garbage.get(key, spoil(inner)) for key, inner in value.items()} | {
                key: inner for key, inner in garbage.items() if key not in value
            }
        return [spoil(each) for each in value] if isinstance(value, list) else value

    try:
        found = parsed(spoil(talk))
    except PagingError:
        return
    for delivery in found:
        assert delivery.message_id.startswith(f"{delivery.conversation_id}/")
        assert delivery.status
        assert delivery.channel


@pytest.mark.parametrize(
    ("status", "words", "too_many"),
    [
        (400, "Pagination may not exceed 100000 results.", True),
        (400, "pageSize is not valid", False),
        (413, "Pagination may not exceed 100000 results.", False),
    ],
)
def test_a_refusal_for_the_number_of_results_is_told_apart(
    status: int, words: str, too_many: bool
) -> None:
    assert profile.is_too_many(RequestRejectedError(words, status=status)) is too_many


def test_a_path_holds_no_more_than_it_should() -> None:
    assert profile.results_path("a/b", None).endswith("/jobs/a%2Fb/results")
    assert profile.results_path("j", "x=&y").endswith("/jobs/j/results?cursor=x%3D%26y")
