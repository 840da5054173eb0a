"""Answers that differ a little from the documented ones, as platforms' answers do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.api.auth import GenesysAuth
from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.contract import MessageRef
from genesys_cloud.api.dnc_lists import DncEntry, DncLists
from genesys_cloud.api.profiles import agentless as profile
from genesys_cloud.api.profiles import agentless_analytics as analytics
from genesys_cloud.api.profiles.addressing import ledger_address
from genesys_cloud.api.profiles.agentless_events import parse
from genesys_cloud.api.registrations import Order, Registrations
from genesys_cloud.api.token_store import TokenStore
from genesys_cloud.api.transport import Transport
from genesys_cloud.errors import (
    EndpointMissingError,
    PagingError,
    RequestRejectedError,
    ThrottledError,
)
from genesys_cloud.outbound.opt_outs import InboundMessage
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.settings import Account
from tests.api.analytics import conversation
from tests.api.conftest import MakeClient
from tests.api.samples import an_agentless_message, on_channel
from tests.api.wire import TOKEN, WireServer, http, says
from tests.simulator.platform_caller import OPEN, TRIGGERS

AGENTLESS = {"profile": "agentless"}
SECRET = "a-secret-of-thirty-two-characters"
URL = "https://hooks.example.org/webhooks/genesys-messaging"
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
ACCEPTED = http(202, b'{"id": "m1", "conversationId": "c1"}')


def answered(status: int, body: object) -> bytes:
    return http(status, json.dumps(body).encode())


# --- sends


@pytest.mark.parametrize("named", [{"entityName": "externalContact"}, {"entityId": "5a0d1c1e"}])
def test_a_404_about_one_recipient_refuses_that_message_alone(
    make_client: MakeClient, named: dict[str, str]
) -> None:
    body = {"code": "not.found", "message": "External contact not found", "status": 404, **named}
    with WireServer(says(answered(404, body), ACCEPTED)) as server:
        client = make_client(server.url, account=AGENTLESS)
        with pytest.raises(RequestRejectedError, match="Genesys Cloud refused") as caught:
            client.send(on_channel("messaging:web"))
        assert client.send(on_channel("messaging:web", 1)).message_id == "m1"
    assert (caught.value.code, caught.value.status) == ("not_found", 404)


def test_a_404_about_the_path_is_still_an_endpoint_that_is_missing(make_client: MakeClient) -> None:
    body = {"code": "not.found", "message": "HTTP 404 Not Found", "status": 404, "entityName": ""}
    with WireServer(says(answered(404, body))) as server, pytest.raises(EndpointMissingError):
        make_client(server.url, account=AGENTLESS).send(an_agentless_message())


def test_a_text_that_the_server_repeats_as_json_is_not_repeated(make_client: MakeClient) -> None:
    message = an_agentless_message(text='Grüße, "Alex"')
    raw = profile.send_body(message).decode()
    with (
        WireServer(says(answered(400, {"message": f"can't read {raw}"}))) as server,
        pytest.raises(RequestRejectedError) as caught,
    ):
        make_client(server.url, account=AGENTLESS).send(message)
    assert "can't read" in str(caught.value)
    assert "Alex" not in str(caught.value)


# --- tokens


@pytest.mark.parametrize("name", ["description", "error_description"])
def test_the_token_limit_is_known_in_whatever_case(make_client: MakeClient, name: str) -> None:
    body = {"error": "invalid_request", name: "Rate limit exceeded; try again"}
    with (
        WireServer(says(ACCEPTED), login=says(answered(400, body))) as server,
        pytest.raises(ThrottledError),
    ):
        make_client(server.url, account={"profile": "auto"}).send(an_agentless_message())
    assert len(server.logins) == 1


@pytest.mark.parametrize("status", [403, 415])
def test_a_form_that_is_refused_in_any_way_is_followed_by_the_header(
    make_client: MakeClient, status: int
) -> None:
    with WireServer(says(ACCEPTED), login=says(http(status), TOKEN)) as server:
        make_client(server.url, account={"profile": "auto"}).authenticate()
    assert ["authorization" in login.headers for login in server.logins] == [False, True]


def test_a_region_sees_the_secret_in_no_body_where_the_header_will_do(tmp_path: Path) -> None:
    account = Account(name="x", client_id="c", client_secret="s3cret", profile="auto")
    store = TokenStore(tmp_path, "x", "c", "s3cret", "auto")
    transport = Transport(10.0)
    with WireServer(says(ACCEPTED), login=says(TOKEN)) as server:
        auth = GenesysAuth(account, server.url, transport, store, clock=lambda: 0.0)
        assert auth.token().value == "wire-token"
        transport.close()
    (login,) = server.logins
    assert login.headers["authorization"].startswith("Basic ")
    assert b"s3cret" not in login.body


# --- registrations


def integration(entity_id: str, name: str) -> dict[str, Any]:
    return {"id": entity_id, "name": name, "outboundNotificationWebhookUrl": URL}


def test_a_second_page_is_read_although_nothing_names_it(make_client: MakeClient) -> None:
    first, second = (
        {"entities": [integration(f"i{n}", name)], "pageNumber": n, "pageCount": 2}
        for n, name in ((1, "another"), (2, "messaging-status-tracker"))
    )
    with WireServer(says(answered(200, first), answered(200, second), http(204))) as server:
        client = make_client(server.url, account=AGENTLESS)
        kept = Registrations(client.session).register(Order(kind="open"), url=URL, secret=SECRET)
    assert (kept.id, kept.created) == ("i2", False)
    # A change may be answered without a body.
    assert [seen.method for seen in server.requests] == ["GET", "GET", "PATCH"]


def test_what_is_made_without_an_id_is_an_error(make_client: MakeClient) -> None:
    with WireServer(says(answered(200, {"entities": [], "total": 0}), http(204))) as server:
        client = make_client(server.url, account=AGENTLESS)
        with pytest.raises(PagingError, match="without an id"):
            Registrations(client.session).register(Order(kind="open"), url=URL, secret=SECRET)


def test_a_list_of_triggers_may_go_on_at_a_whole_address(make_client: MakeClient) -> None:
    order = Order(kind="trigger", topic="v2.x.{id}.y", workflow_id="w1")
    known = {
        "id": "t1", "name": order.name, "topicName": order.topic, "enabled": True,
        "target": {"id": "w1"},
    }  # fmt: skip
    following = f"https://api.example.org{TRIGGERS}?after=x%20y&pageSize=100"
    pages = [{"entities": [], "nextUri": following}, {"entities": [known]}]
    with WireServer(says(*(answered(200, page) for page in pages))) as server:
        client = make_client(server.url, account=AGENTLESS)
        kept = Registrations(client.session).register(order, url=None, secret=None)
    assert (kept.id, kept.created, kept.updated) == ("t1", False, False)
    assert server.requests[1].target == f"{TRIGGERS}?after=x%20y&pageSize=100"


@pytest.mark.parametrize("following", ["https://[x", f"https://x.example{OPEN}"])
def test_a_next_page_that_is_none_is_an_error(make_client: MakeClient, following: str) -> None:
    order = Order(kind="trigger", topic="v2.x.{id}.y", workflow_id="w1")
    page = answered(200, {"entities": [], "nextUri": following})
    with WireServer(says(page)) as server:
        registrations = Registrations(make_client(server.url, account=AGENTLESS).session)
        with pytest.raises(PagingError):
            registrations.register(order, url=None, secret=None)


def test_a_webhooks_query_is_not_repeated_either(make_client: MakeClient) -> None:
    url = f"{URL}?key=k3y-0f-ours"
    refused = answered(400, {"message": f"can't reach {url}"})
    with WireServer(says(answered(200, {"entities": [], "total": 0}), refused)) as server:
        client = make_client(server.url)
        with pytest.raises(RequestRejectedError, match="can't reach") as caught:
            client.register_webhook(url)
    assert "k3y-0f-ours" not in str(caught.value)


def test_the_query_of_our_url_may_hold_a_key_and_is_not_repeated(make_client: MakeClient) -> None:
    url = f"{URL}?key=k3y-0f-ours"
    refused = answered(400, {"message": f"can't reach {url}"})
    with WireServer(says(answered(200, {"entities": [], "total": 0}), refused)) as server:
        client = make_client(server.url, account=AGENTLESS)
        with pytest.raises(RequestRejectedError, match="can't reach") as caught:
            Registrations(client.session).register(Order(kind="open"), url=url, secret=SECRET)
    assert "k3y-0f-ours" not in str(caught.value)


# --- reads


def test_a_404_that_gives_its_status_and_no_code_is_about_the_message(
    make_client: MakeClient,
) -> None:
    body = {"message": "Message not found", "status": 404}
    with WireServer(says(answered(404, body))) as server:
        assert make_client(server.url, account=AGENTLESS).delivery("m1") is None


def test_one_message_without_an_id_does_not_hide_the_others(make_client: MakeClient) -> None:
    body = {"entities": [{"status": "sent"}, {"id": "m2", "status": "sent"}]}
    with WireServer(says(answered(200, body))) as server:
        client = make_client(server.url, account=AGENTLESS)
        refs = [MessageRef(message_id=name, conversation_id="c1") for name in ("m1", "m2")]
        assert [found.message_id for found in client.look_up(refs)] == ["m2"]


@pytest.mark.parametrize("receipt", [{}, {"status": "DeliveryFailed"}, {"status": "Failed"}])
def test_a_reason_counts_whatever_the_receipt_is_called(receipt: dict[str, str]) -> None:
    delivered = {"status": "Delivered", "reasons": [{"code": "Other"}]}
    receipts = [receipt | {"reasons": [{"code": "RecipientOptedOut"}]}, delivered]
    entity = {"id": "m1", "status": "delivery-failed", "normalizedReceipts": receipts}
    assert profile.parse_message(entity).error_code == "RecipientOptedOut"


@pytest.mark.parametrize("empty", [{}, {"conversations": None}])
def test_an_empty_page_of_analytics_may_lack_everything(
    make_client: MakeClient, empty: dict[str, None]
) -> None:
    with WireServer(says(answered(200, empty))) as server:
        client = make_client(server.url, account=AGENTLESS, clock=NOON.timestamp)
        (page,) = client.pages(NOON - timedelta(hours=1), NOON)
    assert (list(page.deliveries), page.total, page.has_more) == ([], None, False)
    results, cursor = analytics.parse_results(empty)
    assert (results.sizes, cursor) == ({}, None)


def test_analytics_may_write_its_words_in_any_case() -> None:
    talk = conversation("c1", NOON, {"mediaType": "Message", "direction": "OUTBOUND"})
    talk["participants"][0]["purpose"] = "API"
    page = analytics.parse_page({"conversations": [talk], "totalHits": 1}, 1)
    assert [delivery.message_id for delivery in page.deliveries] == ["c1/s1"]


# --- addresses


@pytest.mark.parametrize(
    ("channel", "address", "ours"),
    [
        ("messaging:sms", "12025550143", "+12025550143"),
        ("messaging:apple", "12025550143", "apple:+12025550143"),
        ("messaging:sms", "12345678", "+12345678"),
        ("messaging:sms", "729725", "729725"),
        ("messaging:sms", "1234567890123456", "1234567890123456"),
        ("messaging:open", "12025550143", "open:12025550143"),
    ],
)
def test_a_number_may_lack_its_plus(channel: str, address: str, ours: str) -> None:
    assert ledger_address(channel, address) == ours


def test_a_stop_from_a_number_without_its_plus_is_that_persons() -> None:
    (event,) = parse({
        "kind": "inbound_message", "id": "e1", "timestamp": "2026-11-22T22:17:10Z",
        "channel": "sms", "from": "12025550143", "text": "STOP",
    })  # fmt: skip
    assert isinstance(event, InboundMessage)
    assert event.address == "+12025550143"


# --- events


@pytest.mark.parametrize("moment", [1795385830123, 1795385830123.0, "1795385830123"])
@pytest.mark.parametrize("topic", [None, ""])
def test_a_time_may_be_a_number_of_any_kind_and_the_topic_in_the_envelope_alone(
    moment: object, topic: str | None
) -> None:
    body = {"conversationId": "c1", "metricDate": moment, "deliveryStatus": "Sent"}
    (event,) = parse({
        "id": "e1", "detail-type": "v2.analytics.conversation.{id}.metrics",
        "detail": {"topicName": topic, "eventBody": body},
    })  # fmt: skip
    assert isinstance(event, StatusEvent)
    assert event.occurred_at == datetime(2026, 11, 22, 22, 17, 10, 123000, tzinfo=UTC)


@pytest.mark.parametrize("moment", [float("inf"), float("nan"), 1e300, "9" * 15, "-1", True])
def test_a_time_that_is_none_is_refused(moment: object) -> None:
    body = {"conversationId": "c1", "metricDate": moment, "metric": "m", "deliveryStatus": "Sent"}
    with pytest.raises(ValueError, match="metricDate"):
        parse(body)


# --- limits and do-not-contact lists


@pytest.mark.parametrize("value", ["120", "120.0", 120.0])
def test_a_limit_may_be_text_or_have_a_point(make_client: MakeClient, value: object) -> None:
    entity = {"key": "token.rate.per.minute", "value": value}
    with WireServer(says(answered(200, {"entities": [entity]}))) as server:
        assert make_client(server.url, account=AGENTLESS).requests_per_minute == 120


@pytest.mark.parametrize("value", ["many", "-5", "1e9", "", None, float("inf")])
def test_a_limit_that_is_no_number_is_none(make_client: MakeClient, value: object) -> None:
    entity = {"key": "token.rate.per.minute", "value": value}
    with WireServer(says(answered(200, {"entities": [entity]}))) as server:
        assert make_client(server.url, account=AGENTLESS).requests_per_minute == 300


def test_changes_of_a_list_are_paced_and_end_no_minute_too_early(make_client: MakeClient) -> None:
    paced: list[int] = []
    ends = [NOON, NOON + timedelta(seconds=1)]
    entries = [DncEntry(f"+1202555014{n}", end) for n, end in enumerate(ends)]
    with WireServer(says(http(204))) as server:
        client: GenesysClient = make_client(
            server.url, account=AGENTLESS | {"requests_per_minute": 60}, pace=paced.append
        )
        assert DncLists(client.session).push("l1", entries) == 2
    written = [json.loads(seen.body)["expirationDateTime"] for seen in server.requests]
    assert written == ["2026-11-15T12:00Z", "2026-11-15T12:01Z"]
    assert paced == [60, 60]


def test_a_download_may_be_offered_at_a_path_of_the_api(make_client: MakeClient) -> None:
    offer = {"uri": "/api/v2/downloads/d1", "exportTimestamp": "2026-11-23T12:00:00.000Z"}
    answers = [http(404), http(202, b"{}"), answered(200, offer), http(200, b"phone\n+1\n")]
    with WireServer(says(*answers)) as server:
        client = make_client(server.url, account=AGENTLESS)
        assert list(DncLists(client.session).pull("l1")) == [DncEntry("+1", None)]
    assert server.requests[-1].target == "/api/v2/downloads/d1"
    assert server.requests[-1].headers["authorization"] == "Bearer wire-token"
