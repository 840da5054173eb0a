from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.api.profiles import messaging, messaging_webhooks
from genesys_cloud.api.profiles.fields import instant, parse_time
from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.outbound.messages import Receipt
from genesys_cloud.outbound.status import StatusEvent
from tests.api.samples import (
    TUTORIAL_EVENT,
    TUTORIAL_LIST,
    TUTORIAL_RECEIPT,
    TUTORIAL_SEND,
    TUTORIAL_WEBHOOK,
    a_message,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=250),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "data", "messageId", "status", "timestamp", "x"]), inner
        )
    ),
    max_leaves=12,
)


# --- sending


def test_a_send_is_the_tutorials_with_our_key_in_the_metadata() -> None:
    sent = json.loads(messaging.send_body(a_message(recipient="whatsapp:+15559998765")))
    assert sent["metadata"].pop("messageKey") == "key-0"
    assert sent == TUTORIAL_SEND
    assert list(sent) == list(TUTORIAL_SEND)


def test_a_text_travels_as_utf8_and_as_it_is() -> None:
    text = 'Grüße 👩‍👩‍👧 "{{name}}" \\ \u2028\t\n日本'
    body = messaging.send_body(a_message(text=text))
    assert json.loads(body)["content"]["text"] == text
    assert "👩‍👩‍👧".encode() in body


def test_half_of_a_surrogate_pair_never_goes_out_and_is_said_without_the_text() -> None:
    with pytest.raises(RequestRejectedError, match="key-0 of campaign camp_789") as caught:
        messaging.send_body(a_message(text="secret \ud83d"))
    assert "secret" not in str(caught.value)


def test_the_tutorials_receipt() -> None:
    receipt = messaging.parse_receipt(TUTORIAL_RECEIPT)
    assert receipt == Receipt(message_id="msg_abc123xyz", status="queued")


@pytest.mark.parametrize(
    "body",
    [
        *[None, [], "msg_1", 7, {}, {"id": None}, {"id": 17}, {"id": ""}],
        *[{"id": "x" * 201}, {"id": "a\0b"}, {"id": ["m"]}],
    ],
)
def test_an_answer_without_a_usable_id_is_no_receipt(body: object) -> None:
    assert messaging.parse_receipt(body) is None


# --- listing


def test_the_tutorials_list_request() -> None:
    start, end = datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 1, 15, tzinfo=UTC)
    assert messaging.list_path(start, end, ("delivered", "failed"), 1) == TUTORIAL_LIST


def test_every_status_is_listed_where_none_is_named_and_times_are_utc() -> None:
    start = datetime(2024, 1, 8, 1, tzinfo=timezone(timedelta(hours=1)))
    path = messaging.list_path(start, start + timedelta(microseconds=1500), (), 3)
    assert path == (
        "/api/v2/messaging/messages?createdDate=2024-01-08T00:00:00.000Z,2024-01-08T00:00:00.001Z"
        "&pageSize=100&pageNumber=3"
    )


def test_a_naive_time_is_not_asked_for() -> None:
    with pytest.raises(ValueError, match="naive"):
        instant(datetime(2024, 1, 8))  # noqa: DTZ001 - the point of the test


def test_the_tutorials_page() -> None:
    body = {
        "pageNumber": 1,
        "pageSize": 100,
        "total": 245,
        "hasMore": True,
        "entities": [TUTORIAL_RECEIPT],
    }
    page = messaging.parse_page(body, 1)
    assert (page.number, page.total, page.has_more) == (1, 245, True)
    (delivery,) = page.deliveries
    assert (delivery.message_id, delivery.channel) == ("msg_abc123xyz", "messaging:whatsapp")
    assert delivery.created_at == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert (delivery.sent_at, delivery.recipient, delivery.message_key) == (None, None, None)


def test_a_delivery_with_everything() -> None:
    entity = TUTORIAL_SEND | {
        "id": "m1",
        "status": "failed",
        "createdDate": "2024-01-15T10:30:00.000Z",
        "sentDate": "2024-01-15T11:30:01.5+01:00",
        "deliveredDate": None,
        "failedDate": "2024-01-15T10:30:09Z",
        "errorCode": "InvalidDestination",
        "metadata": {"messageKey": "k1", "campaignId": "camp_789"},
    }
    found = messaging.parse_delivery(entity)
    assert found.sent_at == datetime(2024, 1, 15, 10, 30, 1, 500_000, tzinfo=UTC)
    assert found.failed_at == datetime(2024, 1, 15, 10, 30, 9, tzinfo=UTC)
    assert (found.delivered_at, found.read_at) == (None, None)
    assert (found.error_code, found.recipient) == ("InvalidDestination", "whatsapp:+15559998765")
    assert (found.message_key, found.campaign_id) == ("k1", "camp_789")


@pytest.mark.parametrize(
    "odd", [{"to": None}, {"to": []}, {"to": ["x"]}, {"to": {"address": 1}}, {"metadata": "x"}]
)
def test_a_delivery_may_lack_parties_and_metadata(odd: dict[str, Any]) -> None:
    found = messaging.parse_delivery({"id": "m", "from": 3} | odd)
    assert (found.recipient, found.message_key, found.status) == (None, None, "unknown")


def test_a_status_that_nobody_knows_stays_a_word() -> None:
    found = messaging.parse_delivery({"id": "m", "status": "delivery-success"})
    assert found.status == "delivery-success"


@pytest.mark.parametrize("entity", [None, 1, [], {}, {"id": None}, {"id": 5}, {"id": ""}])
def test_an_entity_without_an_id_can_not_be_counted(entity: object) -> None:
    with pytest.raises(PagingError, match="without an id"):
        messaging.parse_page({"entities": [entity], "hasMore": False}, 1)


@pytest.mark.parametrize("body", [None, [], "x", {}, {"entities": {}}, {"error": "x"}])
def test_what_is_no_page_is_not_an_empty_one(body: object) -> None:
    with pytest.raises(PagingError, match="no page of messages"):
        messaging.parse_page(body, 1)


@pytest.mark.parametrize(
    ("count", "said", "more"),
    [
        (100, {}, True),
        (99, {}, False),
        (0, {}, False),
        (25, {"pageSize": 25}, True),
        (24, {"pageSize": 25}, False),
        (100, {"hasMore": "yes"}, True),
        (1, {"hasMore": True}, True),
        (100, {"hasMore": False}, False),
    ],
)
def test_a_page_without_a_word_ends_the_list_when_it_is_short(
    count: int, said: dict[str, Any], more: bool
) -> None:
    body = {"entities": [{"id": f"m{n}"} for n in range(count)]} | said
    assert messaging.parse_page(body, 1).has_more is more


@pytest.mark.parametrize("total", [None, "245", 2.5, True])
def test_a_total_that_is_no_number_is_none(total: object) -> None:
    assert messaging.parse_page({"entities": [], "total": total}, 1).total is None


@pytest.mark.parametrize(
    "odd",
    [
        *[None, "", 0, 1705314600000, "yesterday", "2024-01-15T10:30:00", "2024-13-01T00:00:00Z"],
        *["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-01-15T10:30:00Z" * 9],
    ],
)
def test_an_odd_time_is_none(odd: object) -> None:
    assert parse_time(odd) is None


# --- events


def test_the_tutorials_event() -> None:
    assert messaging.parse_event(TUTORIAL_EVENT) == StatusEvent(
        event_id="evt_98765",
        message_id="msg_abc123xyz",
        status="delivered",
        occurred_at=datetime(2024, 1, 15, 10, 30, 45, tzinfo=UTC),
    )


@pytest.mark.parametrize("missing", [{}, {"id": None}, {"id": ""}])
def test_an_event_without_an_id_is_named_by_its_content(missing: dict[str, Any]) -> None:
    event = {key: value for key, value in TUTORIAL_EVENT.items() if key != "id"} | missing
    assert messaging.parse_event(event).event_id == (
        "msg_abc123xyz:delivered:2024-01-15T10:30:45.000Z"
    )


def test_an_event_may_be_numbered_and_untyped() -> None:
    event = {"id": 17, "data": TUTORIAL_EVENT["data"]}
    assert messaging.parse_event(event).event_id == "17"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": "messaging:messages:received"}, "type"),
        ({"type": {}}, "type"),
        ({"data": None}, "messageId or data.status"),
        ({"data": {"messageId": "m", "status": "sent"}}, "timestamp"),
        ({"data": {"messageId": "m", "status": "sent", "timestamp": 17}}, "timestamp"),
        ({"data": {"messageId": "m", "status": "sent", "timestamp": "now"}}, "timestamp"),
        ({"data": TUTORIAL_EVENT["data"] | {"messageId": ""}}, "messageId"),
        ({"data": TUTORIAL_EVENT["data"] | {"messageId": "m" * 201}}, "messageId"),
        ({"data": TUTORIAL_EVENT["data"] | {"messageId": "m\0"}}, "messageId"),
        ({"data": TUTORIAL_EVENT["data"] | {"status": 5}}, "status"),
        ({"data": TUTORIAL_EVENT["data"] | {"status": "s" * 65}}, "status"),
        ({"id": "e" * 201}, "1 to 200"),
        ({"id": "\ud800"}, "1 to 200"),
        ({"id": True}, "1 to 200"),
        ({"id": ["e"]}, "1 to 200"),
    ],
)
def test_what_is_no_event_says_why(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        messaging.parse_event(TUTORIAL_EVENT | change)


@given(JSON)
def test_any_json_is_an_event_or_a_value_error(payload: object) -> None:
    try:
        event = messaging.parse_event(payload)
    except ValueError:
        return
    assert 0 < len(event.message_id) <= 200
    assert len(event.event_id) <= 512  # the ledger's column


@given(JSON)
def test_any_json_is_a_page_or_a_paging_error(payload: object) -> None:
    try:
        messaging.parse_page({"entities": payload}, 1)
    except PagingError:
        return


# --- webhooks


def test_the_tutorials_webhook() -> None:
    url = TUTORIAL_WEBHOOK["httpTarget"]["url"]
    body = messaging_webhooks.webhook_body(url, "messaging-status-tracker", None)
    assert body == TUTORIAL_WEBHOOK


def test_a_webhook_that_is_switched_off_keeps_the_rest() -> None:
    entity = TUTORIAL_WEBHOOK | {"id": "wh_1", "note": "x"}
    (found,) = messaging_webhooks.parse_webhooks({"entities": [entity]}).webhooks
    assert messaging_webhooks.disabled(found) == entity | {"enabled": False}
