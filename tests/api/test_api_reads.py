from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import (
    AuthenticationError,
    EndpointMissingError,
    NotSentError,
    PagingError,
    PermissionDeniedError,
    RequestRejectedError,
    ServiceFailedError,
    ThrottledError,
)
from tests.api.samples import LISTED, TOKENS, TUTORIAL_LIST, a_message
from tests.api.wire import Seen, WireServer, http, says, then_closes
from tests.simulator.server import SimulatorProcess

START = datetime(2024, 1, 8, tzinfo=UTC)
END = datetime(2024, 1, 15, tzinfo=UTC)


def lists(simulator: SimulatorProcess) -> int:
    return sum(simulator.requests()["counts"].get(LISTED, {}).values())


def load(simulator: SimulatorProcess, count: int) -> list[str]:
    rows = [
        {
            "id": f"m{number:04}",
            "channelType": "messaging:sms",
            "status": ("delivered", "failed", "queued")[number % 3],
            "createdDate": (START + timedelta(minutes=number)).isoformat(),
        }
        for number in range(count)
    ]
    simulator.load(rows)
    return [str(row["id"]) for row in rows]


# --- pages


def test_every_message_of_the_interval_is_listed_once(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    ids = load(simulator, 245)
    pages = list(client.pages(START, END))
    assert [(page.number, page.total, page.has_more) for page in pages] == [
        (1, 245, True),
        (2, 245, True),
        (3, 245, False),
    ]
    assert [row.message_id for page in pages for row in page.deliveries] == ids


def test_statuses_narrow_the_list(simulator: SimulatorProcess, client: GenesysClient) -> None:
    load(simulator, 30)
    (page,) = client.pages(START, END, statuses=("delivered", "failed"))
    assert page.total == 20
    assert {row.status for row in page.deliveries} == {"delivered", "failed"}


def test_an_interval_without_messages_is_one_empty_page(client: GenesysClient) -> None:
    (page,) = client.pages(START, END)
    assert (page.total, list(page.deliveries)) == (0, [])


def test_the_tutorials_request_goes_out_as_it_is_written(make_client: Any) -> None:
    body = {"pageNumber": 1, "pageSize": 100, "total": 0, "hasMore": False, "entities": []}
    with WireServer(says(http(200, json.dumps(body).encode()))) as server:
        list(make_client(server.url).pages(START, END, statuses=("delivered", "failed")))
    assert (server.requests[0].method, server.requests[0].target) == ("GET", TUTORIAL_LIST)


def test_a_host_that_ignores_the_page_number_ends_in_an_error(make_client: Any) -> None:
    body = {"total": 9, "hasMore": True, "entities": [{"id": "m1"}]}
    with (
        WireServer(says(http(200, json.dumps(body).encode()))) as server,
        pytest.raises(PagingError, match="The messages created from 2024-01-08"),
    ):
        list(make_client(server.url).pages(START, END))
    assert len(server.requests) == 2


def test_a_naive_interval_is_an_error(client: GenesysClient) -> None:
    with pytest.raises(ValueError, match="naive"):
        list(client.pages(START.replace(tzinfo=None), END))


# --- what is tried again


def test_half_a_page_is_asked_for_again(make_client: Any, sleeps: list[float]) -> None:
    page = http(200, b'{"total":1,"hasMore":false,"entities":[{"id":"m1"}]}')
    answers = [page[:-10], page]

    def cut_at_first(connection: Any, seen: Seen) -> None:
        then_closes(answers.pop(0))(connection, seen)

    with WireServer(cut_at_first) as server:
        (found,) = make_client(server.url).pages(START, END)
    assert [row.message_id for row in found.deliveries] == ["m1"]
    assert len(sleeps) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 429},
        {"fault": "status", "status": 502},
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 504},
        {"fault": "drop_before"},
    ],
)
def test_a_read_outlasts_what_passes(
    simulator: SimulatorProcess,
    client: GenesysClient,
    sleeps: list[float],
    fault: dict[str, Any],
) -> None:
    ids = load(simulator, 150)
    simulator.faults([{"on": "list", "times": 3} | fault])
    found = [row.message_id for page in client.pages(START, END) for row in page.deliveries]
    assert found == ids
    assert lists(simulator) == 2 + 3
    assert len(sleeps) == 3


def test_a_read_waits_as_it_is_told(
    simulator: SimulatorProcess, client: GenesysClient, sleeps: list[float]
) -> None:
    simulator.faults(
        [
            {
                "on": "list",
                "fault": "status",
                "status": 429,
                "headers": {"Retry-After": "42"},
                "times": 2,
            }
        ]
    )
    list(client.pages(START, END))
    assert sleeps == [42.0, 42.0]


@pytest.mark.parametrize(
    ("fault", "kind", "asked"),
    [
        ({"status": 429}, ThrottledError, 5),
        ({"status": 429, "headers": {"Retry-After": "900"}}, ThrottledError, 1),
        ({"status": 503}, ServiceFailedError, 5),
        ({"status": 500}, ServiceFailedError, 1),
        ({"status": 400}, RequestRejectedError, 1),
        ({"status": 403}, PermissionDeniedError, 1),
        ({"status": 404}, EndpointMissingError, 1),
        ({"status": 302}, EndpointMissingError, 1),
        ({"fault": "html"}, ServiceFailedError, 1),
        ({"fault": "garbage"}, ServiceFailedError, 1),
        ({"status": 200, "body": {"messages": []}}, PagingError, 1),
        ({"fault": "drop_before"}, NotSentError, 5),
    ],
)
def test_a_read_gives_up_in_the_end(
    simulator: SimulatorProcess,
    client: GenesysClient,
    fault: dict[str, Any],
    kind: type[Exception],
    asked: int,
) -> None:
    simulator.faults([{"on": "list", "fault": "status"} | fault])
    with pytest.raises(kind) as caught:
        list(client.pages(START, END))
    assert type(caught.value) is kind
    assert lists(simulator) == asked


def test_the_caller_learns_how_long_to_wait(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    fault = {"on": "list", "fault": "status", "status": 429, "headers": {"Retry-After": "900"}}
    simulator.faults([fault])
    with pytest.raises(ThrottledError) as caught:
        list(client.pages(START, END))
    assert caught.value.retry_after == 900.0


def test_a_read_that_hangs_says_that_trying_again_is_safe(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    simulator.faults([{"on": "list", "fault": "hang", "delay_s": 5}])
    make_client(simulator.url).authenticate()  # with all the time that a slow machine takes
    client = make_client(simulator.url, account={"timeout_s": 0.2})
    with pytest.raises(NotSentError, match="changes nothing: trying again is safe"):
        list(client.pages(START, END))


def test_a_refused_token_is_replaced_once(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    client.authenticate()
    simulator.revoke_tokens()
    list(client.pages(START, END))
    assert simulator.requests()["counts"][TOKENS]["200"] == 2
    simulator.faults([{"on": "list", "fault": "revoke_token"}])
    with pytest.raises(AuthenticationError):
        list(client.pages(START, END))


def test_every_attempt_is_paced(simulator: SimulatorProcess, make_client: Any) -> None:
    paced: list[int] = []
    client = make_client(simulator.url, pace=paced.append)
    load(simulator, 150)
    simulator.faults([{"on": "list", "fault": "status", "status": 503, "times": 1}])
    list(client.pages(START, END))
    # The profile is pinned and nothing was configured: the usual limit it is.
    assert paced == [300] * lists(simulator) == [300] * 3
    client.send(a_message())
    assert len(paced) == 3  # sends are paced by who sends


def test_pages_fetched_ahead_take_a_slot_each_and_come_in_order(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    paced: list[int] = []
    ids = load(simulator, 950)
    client = make_client(simulator.url, pace=paced.append)
    listing = client.listing(START, END, ahead=8)
    assert [row.message_id for page in listing for row in page.deliveries] == ids
    assert len(paced) == lists(simulator) == 10


def test_a_page_fetched_ahead_that_fails_for_good_says_which_it_is(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    load(simulator, 950)
    walked = iter(client.listing(START, END, ahead=8))
    assert next(walked).total == 950
    simulator.faults([{"on": "list", "fault": "status", "status": 500}])
    with pytest.raises(ServiceFailedError, match="page 2"):
        list(walked)


# --- one message


def test_a_message_is_found_by_its_id(simulator: SimulatorProcess, client: GenesysClient) -> None:
    receipt = client.send(a_message(5))
    found = client.delivery(receipt.message_id)
    assert found is not None
    assert (found.message_key, found.campaign_id) == ("key-5", "camp_789")
    assert found.recipient == "whatsapp:+15559000005"
    assert found.created_at is not None


def test_a_message_that_is_not_there_is_none(client: GenesysClient) -> None:
    assert client.delivery("msg/../no such") is None


def test_a_404_of_some_other_server_says_nothing_about_a_message(make_client: Any) -> None:
    with (
        WireServer(says(http(404, b"<h1>Not Found</h1>"))) as server,
        pytest.raises(EndpointMissingError),
    ):
        make_client(server.url).delivery("m1")
