from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.errors import (
    AuthenticationError,
    CampaignError,
    EndpointMissingError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RequestRejectedError,
    ThrottledError,
)
from tests.api.samples import SENT, TOKENS, TUTORIAL_SEND, a_message
from tests.simulator.server import SimulatorProcess, wait_for


def requests_for(simulator: SimulatorProcess, endpoint: str) -> int:
    return sum(simulator.requests()["counts"].get(endpoint, {}).values())


def test_a_message_arrives_as_it_was_meant(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    receipt = client.send(a_message(7, text="Grüße an Søren 👋"))
    (seen,) = simulator.messages()
    assert (seen["id"], receipt.status) == (receipt.message_id, "queued")
    assert (seen["from"], seen["to"]) == ("whatsapp:+15550001234", "whatsapp:+15559000007")
    assert seen["text"] == "Grüße an Søren 👋"
    assert seen["metadata"] == TUTORIAL_SEND["metadata"] | {"messageKey": "key-7"}


FAULTS: list[tuple[dict[str, Any], int]] = [
    ({"fault": "drop_before"}, 0),
    ({"fault": "drop_after"}, 1),
    ({"fault": "garbage", "after_accept": True}, 1),
    ({"fault": "html", "after_accept": True}, 1),
    ({"fault": "empty", "after_accept": True}, 1),
    ({"fault": "empty", "after_accept": True, "status": 204}, 1),
    ({"fault": "status", "status": 201, "body": {"id": None}, "after_accept": True}, 1),
    *(
        ({"fault": "status", "status": status, "after_accept": accepted}, int(accepted))
        for status in (408, 500, 502, 503, 504)
        for accepted in (True, False)
    ),
    (
        {"fault": "status", "status": 503, "headers": {"Retry-After": "1"}, "after_accept": True},
        1,
    ),
]


@pytest.mark.parametrize(("fault", "accepted"), FAULTS)
def test_where_nobody_knows_the_client_says_so_and_asks_once(
    simulator: SimulatorProcess, client: GenesysClient, fault: dict[str, Any], accepted: int
) -> None:
    simulator.faults([{"on": "send"} | fault])
    with pytest.raises(OutcomeUnknownError, match="message key-0 of campaign camp_789"):
        client.send(a_message())
    assert len(simulator.messages()) == accepted
    assert requests_for(simulator, SENT) == 1


def test_a_timeout_is_unknown_and_is_not_tried_again(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    simulator.faults([{"on": "send", "fault": "hang", "delay_s": 5, "after_accept": True}])
    make_client(simulator.url).authenticate()  # with all the time that a slow machine takes
    client = make_client(simulator.url, account={"timeout_s": 0.5})
    with pytest.raises(OutcomeUnknownError, match="Timeout"):
        client.send(a_message())
    wait_for(lambda: len(simulator.messages()), (1).__eq__)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 400}, RequestRejectedError),
        ({"status": 409}, RequestRejectedError),
        ({"status": 413}, RequestRejectedError),
        ({"status": 422}, RequestRejectedError),
        ({"status": 403}, PermissionDeniedError),
        ({"status": 404}, EndpointMissingError),
        ({"status": 405}, EndpointMissingError),
        ({"status": 429}, ThrottledError),
    ],
)
def test_a_clear_no_is_said_once(
    simulator: SimulatorProcess,
    client: GenesysClient,
    fault: dict[str, Any],
    kind: type[CampaignError],
) -> None:
    simulator.faults([{"on": "send", "fault": "status"} | fault])
    with pytest.raises(kind, match="message key-0 of campaign camp_789"):
        client.send(a_message())
    assert requests_for(simulator, SENT) == 1
    assert simulator.messages() == []


def test_throttling_hands_on_the_wait(simulator: SimulatorProcess, client: GenesysClient) -> None:
    fault = {"on": "send", "fault": "status", "status": 429, "headers": {"Retry-After": "42"}}
    simulator.faults([fault])
    with pytest.raises(ThrottledError) as caught:
        client.send(a_message())
    assert caught.value.retry_after == 42.0
    assert caught.value.correlation_id


def test_a_redirect_is_not_followed(simulator: SimulatorProcess, client: GenesysClient) -> None:
    location = {"Location": f"{simulator.url}/api/v2/messaging/messages"}
    fault = {"on": "send", "fault": "status", "status": 307, "headers": location, "times": 1}
    simulator.faults([fault])
    with pytest.raises(EndpointMissingError):
        client.send(a_message())
    assert simulator.messages() == []


def test_what_genesys_refuses_says_which_field_and_why(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    with pytest.raises(RequestRejectedError) as caught:
        client.send(a_message(channel="messaging:sms", consent_verified=False))
    said = str(caught.value)
    assert "metadata.consentVerified: consent.required" in said
    assert "to[0].address: invalid.address" in said
    assert "5559000000" not in said


def test_a_revoked_token_is_replaced_and_the_message_sent_once(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    client.send(a_message(1))
    simulator.revoke_tokens()
    client.send(a_message(2))
    assert [seen["metadata"]["messageKey"] for seen in simulator.messages()] == ["key-1", "key-2"]
    assert requests_for(simulator, TOKENS) == 2


def test_a_token_that_is_refused_twice_is_an_error(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    simulator.faults([{"on": "send", "fault": "revoke_token"}])
    with pytest.raises(AuthenticationError, match="region"):
        client.send(a_message())
    assert requests_for(simulator, SENT) == 2
    assert simulator.messages() == []


def test_a_scope_that_is_granted_later_is_used_once_the_token_is_a_minute_old(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    now = [1_700_000_000.0]
    client = make_client(simulator.url, clock=lambda: now[0])
    simulator.faults([{"on": "send", "fault": "status", "status": 403, "times": 2}])
    for age in (0, 61):
        now[0] += age
        with pytest.raises(PermissionDeniedError):
            client.send(a_message())
    assert requests_for(simulator, TOKENS) == 1
    client.send(a_message())
    assert requests_for(simulator, TOKENS) == 2


def test_sixteen_threads_send_each_message_once(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    with ThreadPoolExecutor(16) as threads:
        receipts = list(threads.map(client.send, map(a_message, range(400))))
    keys = Counter(seen["metadata"]["messageKey"] for seen in simulator.messages())
    assert keys == Counter(f"key-{number}" for number in range(400))
    assert {receipt.message_id for receipt in receipts} == {
        seen["id"] for seen in simulator.messages()
    }


def test_under_faults_of_every_kind_the_client_and_the_log_agree(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    simulator.faults(
        [
            {"on": "send", "fault": "drop_after", "share": 0.1},
            {"on": "send", "fault": "drop_before", "share": 0.1},
            {"on": "send", "fault": "status", "status": 429, "share": 0.1},
            {"on": "send", "fault": "status", "status": 503, "share": 0.1, "after_accept": True},
            {"on": "send", "fault": "status", "status": 400, "share": 0.1},
            {"on": "send", "fault": "revoke_token", "share": 0.05},
        ]
    )

    def outcome(number: int) -> str:
        try:
            client.send(a_message(number))
        except CampaignError as error:
            return type(error).__name__
        return "accepted"

    with ThreadPoolExecutor(8) as threads:
        outcomes = dict(enumerate(threads.map(outcome, range(300))))
    log = Counter(seen["metadata"]["messageKey"] for seen in simulator.messages())
    assert set(log.values()) == {1}
    for number, said in outcomes.items():
        seen = log[f"key-{number}"]
        if said == "accepted":
            assert seen == 1
        elif said != "OutcomeUnknownError":
            assert seen == 0
    assert len(set(outcomes.values())) >= 4


def test_a_client_leaves_no_connection_open(simulator: SimulatorProcess, make_client: Any) -> None:
    # Warnings are errors here: an unclosed socket fails the test.
    with make_client(simulator.url) as client:
        client.send(a_message())
