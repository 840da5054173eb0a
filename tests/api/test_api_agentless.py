"""The agentless profile against a simulator that serves the platform's own API."""

from __future__ import annotations

import base64
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.contract import MessageRef
from genesys_cloud.api.failures import Call
from genesys_cloud.api.profiles import agentless as profile
from genesys_cloud.api.regions import REGIONS
from genesys_cloud.api.transport import Answer, Transport
from genesys_cloud.errors import (
    CampaignError,
    ConnectionSettingsError,
    EndpointMissingError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RequestRejectedError,
    ThrottledError,
)
from tests.api.samples import AGENTLESS_SENT, FILLED, an_agentless_message, on_channel
from tests.api.test_api_send import FAULTS, requests_for
from tests.api.wire import WireServer, http, says
from tests.simulator.server import SimulatorProcess, wait_for

CHANNELS = [f"messaging:{name}" for name in ("sms", "whatsapp", "open", "web", "apple")]


def with_template(platform: SimulatorProcess) -> None:
    """Have the simulator know the template of the samples."""
    platform._call(
        "POST",
        "responses",
        json={"id": FILLED.response_id, "substitutions": [{"id": "1"}, {"id": "2"}]},
    )


# --- sending


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_arrives_on_every_channel(
    platform: SimulatorProcess, agentless: GenesysClient, channel: str
) -> None:
    with_template(platform)
    receipt = agentless.send(on_channel(channel))
    (seen,) = platform.messages()
    assert (seen["id"], seen["conversationId"]) == (receipt.message_id, receipt.conversation_id)
    assert receipt.status == "queued"
    assert requests_for(platform, AGENTLESS_SENT) == 1


def test_older_answers_are_read_as_well(make_client: Any) -> None:
    with SimulatorProcess(profiles="agentless", deprecated_fields=True) as older:
        client = make_client(older.url, account={"profile": "agentless"})
        receipt = client.send(an_agentless_message())
        (seen,) = older.messages()
        assert receipt.message_id == seen["id"]
        assert client.delivery(receipt.message_id).conversation_id == seen["conversationId"]


@pytest.mark.parametrize(("fault", "accepted"), FAULTS)
def test_where_nobody_knows_the_client_says_so_and_asks_once(
    platform: SimulatorProcess, agentless: GenesysClient, fault: dict[str, Any], accepted: int
) -> None:
    platform.faults([{"on": "agentless"} | fault])
    with pytest.raises(OutcomeUnknownError, match="message key-0 of campaign camp_789"):
        agentless.send(an_agentless_message())
    assert len(platform.messages()) == accepted
    assert requests_for(platform, AGENTLESS_SENT) == 1


def test_a_timeout_is_unknown_and_is_not_tried_again(
    platform: SimulatorProcess, make_client: Any
) -> None:
    platform.faults([{"on": "agentless", "fault": "hang", "delay_s": 5, "after_accept": True}])
    account = {"profile": "agentless"}
    make_client(platform.url, account=account).authenticate()  # however slow the machine is
    client = make_client(platform.url, account=account | {"timeout_s": 0.5})
    with pytest.raises(OutcomeUnknownError, match="Timeout"):
        client.send(an_agentless_message())
    wait_for(lambda: len(platform.messages()), (1).__eq__)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRejectedError),
        (409, RequestRejectedError),
        (413, RequestRejectedError),
        (403, PermissionDeniedError),
        (404, EndpointMissingError),
        (405, EndpointMissingError),
        (429, ThrottledError),
    ],
)
def test_a_clear_no_is_said_once(
    platform: SimulatorProcess, agentless: GenesysClient, status: int, kind: type[CampaignError]
) -> None:
    platform.faults([{"on": "agentless", "fault": "status", "status": status}])
    with pytest.raises(kind, match="message key-0 of campaign camp_789"):
        agentless.send(an_agentless_message())
    assert requests_for(platform, AGENTLESS_SENT) == 1
    assert platform.messages() == []


def test_a_revoked_token_is_replaced_and_the_message_sent_once(
    platform: SimulatorProcess, agentless: GenesysClient
) -> None:
    agentless.send(an_agentless_message(1))
    platform.revoke_tokens()
    agentless.send(an_agentless_message(2))
    assert [seen["to"] for seen in platform.messages()] == ["+13175560001", "+13175560002"]


def test_under_faults_of_every_kind_the_client_and_the_log_agree(
    platform: SimulatorProcess, agentless: GenesysClient
) -> None:
    platform.faults(
        [
            {"on": "agentless", "fault": "drop_after", "share": 0.1},
            {"on": "agentless", "fault": "drop_before", "share": 0.1},
            {"on": "agentless", "fault": "status", "status": 429, "share": 0.1},
            {
                "on": "agentless",
                "fault": "status",
                "status": 503,
                "share": 0.1,
                "after_accept": True,
            },
            {"on": "agentless", "fault": "status", "status": 400, "share": 0.1},
            {"on": "agentless", "fault": "revoke_token", "share": 0.05},
        ]
    )

    def outcome(number: int) -> str:
        try:
            agentless.send(an_agentless_message(number))
        except CampaignError as error:
            return type(error).__name__
        return "accepted"

    with ThreadPoolExecutor(8) as threads:
        outcomes = dict(enumerate(threads.map(outcome, range(300))))
    log = Counter(seen["to"] for seen in platform.messages())
    assert set(log.values()) == {1}
    for number, said in outcomes.items():
        seen = log[an_agentless_message(number).recipient]
        assert seen == (said == "accepted") or said == "OutcomeUnknownError"
    assert len(set(outcomes.values())) >= 4


def test_a_person_in_a_conversation_is_left_alone_unless_the_campaign_says_otherwise(
    platform: SimulatorProcess, agentless: GenesysClient
) -> None:
    busy = an_agentless_message()
    parties = {"channel": "sms", "from": busy.sender, "to": busy.recipient}
    opened = platform._call("POST", "conversations/open", json=parties).json()
    with pytest.raises(RequestRejectedError) as caught:
        agentless.send(busy)
    assert caught.value.code == "active_conversation"
    assert "use_active_conversation" in str(caught.value)
    receipt = agentless.send(an_agentless_message(use_active_conversation=True))
    assert receipt.conversation_id == opened["conversationId"]


def test_a_template_that_gets_the_wrong_values_says_so_without_them(
    platform: SimulatorProcess, agentless: GenesysClient
) -> None:
    platform._call("POST", "responses", json={"id": FILLED.response_id, "substitutions": []})
    with pytest.raises(RequestRejectedError) as caught:
        agentless.send(on_channel("messaging:whatsapp"))
    assert "key-0" in str(caught.value)
    assert "Alexandra" not in str(caught.value)


def test_a_value_of_a_template_that_the_server_repeats_is_not_repeated(make_client: Any) -> None:
    echo = http(400, b'{"code":"bad.request","message":"no such value: Alexandra, 15559000000"}')
    with WireServer(says(echo)) as server, pytest.raises(RequestRejectedError) as caught:
        make_client(server.url, account={"profile": "agentless"}).send(
            on_channel("messaging:whatsapp")
        )
    assert "no such value: …, …" in str(caught.value)


def test_a_role_that_lacks_a_permission_is_named(make_client: Any) -> None:
    with SimulatorProcess(profiles="agentless", permissions="routing:queue:view") as bare:
        client = make_client(bare.url, account={"profile": "agentless"})
        for ask, permission in (
            (lambda: client.send(an_agentless_message()), profile.TO_SEND),
            (lambda: client.delivery("m1"), profile.TO_VIEW),
        ):
            with pytest.raises(PermissionDeniedError) as caught:
                ask()
            assert f"has the permission {permission}" in str(caught.value)
            assert "messaging:messages" not in str(caught.value)


def test_a_profile_that_the_host_does_not_serve_is_named(make_client: Any) -> None:
    missing = http(404, b'{"code":"not.found","message":"no such path"}')
    with WireServer(says(missing)) as server, pytest.raises(EndpointMissingError) as caught:
        make_client(server.url, account={"profile": "agentless"}).send(an_agentless_message())
    assert "the profile 'agentless' that connection 'genesys_test'" in str(caught.value)
    assert len(server.requests) == 1  # a pinned profile is not probed


# --- what became of it


def test_messages_are_looked_up_each_by_itself_or_together_where_they_share_a_conversation(
    platform: SimulatorProcess, agentless: GenesysClient
) -> None:
    alone = agentless.send(an_agentless_message(1))
    busy = an_agentless_message(2, use_active_conversation=True)
    parties = {"channel": "sms", "from": busy.sender, "to": busy.recipient}
    platform._call("POST", "conversations/open", json=parties)
    together = [agentless.send(busy) for _ in range(3)]
    refs = [
        MessageRef(message_id=each.message_id, conversation_id=each.conversation_id)
        for each in (alone, *together)
    ]
    unknown = [
        MessageRef(message_id="nobody", conversation_id="nowhere"),
        MessageRef(message_id="nobody-1", conversation_id="elsewhere"),
        MessageRef(message_id="nobody-2", conversation_id="elsewhere"),
        MessageRef(message_id="nobody-3", conversation_id=together[0].conversation_id),
    ]
    found = {each.message_id: each for each in agentless.look_up([*refs, *unknown])}
    assert set(found) == {ref.message_id for ref in refs}
    assert found[alone.message_id].recipient == "+13175560001"
    assert {found[each.message_id].conversation_id for each in together} == {
        together[0].conversation_id
    }
    counts = platform.requests()["counts"]
    assert sum(counts["GET /api/v2/conversations/messages/{id}/details"].values()) == 2
    assert sum(counts["POST /api/v2/conversations/messages/{id}/messages/bulk"].values()) == 2
    ids = [each.message_id for each in together]
    assert sorted(agentless.outbound_ids(str(together[0].conversation_id))) == sorted(ids)


def test_many_messages_of_one_conversation_are_asked_for_a_thousand_at_a_time(
    make_client: Any,
) -> None:
    with WireServer(says(http(200, b'{"entities":[]}'))) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        refs = [MessageRef(message_id=f"m{n}", conversation_id="c") for n in range(2_001)]
        assert list(client.look_up(refs)) == []
    assert [len(json.loads(seen.body)) for seen in server.requests] == [1_000, 1_000, 1]
    assert {seen.target for seen in server.requests} == {
        "/api/v2/conversations/messages/c/messages/bulk"
    }


def test_an_id_can_not_lead_elsewhere(make_client: Any) -> None:
    missing = http(404, b'{"code":"not.found"}')
    with WireServer(says(missing)) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        assert client.delivery("../x?y#z") is None
        assert client.outbound_ids("a/b") == []
    assert [seen.target for seen in server.requests] == [
        "/api/v2/conversations/messages/..%2Fx%3Fy%23z/details",
        "/api/v2/conversations/messages/a%2Fb",
    ]


def test_a_404_that_is_no_error_body_is_no_answer_about_a_message(make_client: Any) -> None:
    with WireServer(says(http(404, b"<html>"))) as server, pytest.raises(EndpointMissingError):
        make_client(server.url, account={"profile": "agentless"}).delivery("m1")


def test_the_platform_registers_no_webhook(agentless: GenesysClient) -> None:
    with pytest.raises(ConnectionSettingsError, match="registers no webhook"):
        agentless.register_webhook("https://receiver.example/hook")


# --- tokens


def test_a_token_is_asked_for_as_the_sdk_does(make_client: Any) -> None:
    with WireServer(says(http(404, b'{"code":"not.found"}'))) as server:
        make_client(server.url, account={"profile": "agentless"}).authenticate()
    (login,) = server.logins
    assert login.body == b"grant_type=client_credentials"
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    scheme, _, credentials = login.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(credentials)) == ("Basic", b"sim-client:sim-secret")
    assert server.requests == []


@pytest.mark.parametrize(("region", "domain"), REGIONS.items())
def test_every_region_has_its_login_host(
    make_client: Any, monkeypatch: pytest.MonkeyPatch, region: str, domain: str
) -> None:
    asked: list[tuple[str, str, bytes | None]] = []

    def exchange(_: Transport, call: Call, *, headers: Any, body: bytes | None = None) -> Answer:
        asked.append((call.url, headers["Authorization"], body))
        return Answer(200, {}, b'{"access_token":"t","token_type":"bearer","expires_in":86399}')

    monkeypatch.setattr(Transport, "exchange", exchange)
    account = {"region": region, "base_url": None, "profile": "agentless"}
    assert make_client("", account=account).authenticate().seconds_left == 86399
    basic = "Basic " + base64.b64encode(b"sim-client:sim-secret").decode()
    url = f"https://login.{domain}/oauth/token"
    assert asked == [(url, basic, b"grant_type=client_credentials")]
