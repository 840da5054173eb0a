from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from genesys_cloud.api.client import WEBHOOK_NAME, GenesysClient
from genesys_cloud.api.webhooks import Registration
from genesys_cloud.errors import (
    ConnectionSettingsError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServiceFailedError,
)
from tests.api.samples import TUTORIAL_WEBHOOK
from tests.api.wire import Seen, WireServer, http, says
from tests.simulator.server import SimulatorProcess

URL = TUTORIAL_WEBHOOK["httpTarget"]["url"]
OTHER_URL = "https://elsewhere.example/hook"


class Registrations:
    """A host with webhooks in its list, which it serves in pages of `size`."""

    def __init__(self, *webhooks: dict[str, Any], size: int = 100) -> None:
        self.webhooks = list(webhooks)
        self.size = size
        self.changes: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, connection: socket.socket, seen: Seen) -> None:
        if seen.method == "GET":
            number = int(seen.target.rpartition("=")[2])
            part = self.webhooks[(number - 1) * self.size : number * self.size]
            more = number * self.size < len(self.webhooks)
            answer: dict[str, Any] = {"entities": part, "hasMore": more}
        else:
            body = json.loads(seen.body)
            self.changes.append((seen.method, seen.target, body))
            answer = {"id": "wh_new"} | body
        connection.sendall(http(200, json.dumps(answer).encode()))


def registered(webhook_id: str, **changes: Any) -> dict[str, Any]:
    return {"id": webhook_id} | TUTORIAL_WEBHOOK | changes


def at(url: str) -> dict[str, str]:
    return {"url": url, "method": "POST"}


def test_the_first_registration_is_the_tutorials(make_client: Any) -> None:
    host = Registrations()
    with WireServer(host) as server:
        made = make_client(server.url).register_webhook(URL)
    assert made == Registration(id="wh_new", created=True)
    assert host.changes == [("POST", "/api/v2/webhooks", TUTORIAL_WEBHOOK)]


def test_registering_again_changes_nothing(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    first = client.register_webhook(URL)
    again = client.register_webhook(URL)
    assert first.created
    assert again == Registration(id=first.id)


def test_a_new_url_takes_the_place_of_the_old_one(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    first = client.register_webhook(URL)
    moved = client.register_webhook(OTHER_URL)
    assert moved == Registration(id=first.id, updated=True)
    assert client.register_webhook(OTHER_URL) == Registration(id=first.id)


@pytest.mark.parametrize(
    ("there", "updated"),
    [
        (registered("wh_1"), False),
        (registered("wh_1", enabled=False), True),
        (registered("wh_1", httpTarget=at(OTHER_URL)), True),
        (registered("wh_1", name="made by hand"), False),
    ],
)
def test_ours_is_known_by_name_or_by_url(
    make_client: Any, there: dict[str, Any], updated: bool
) -> None:
    host = Registrations(registered("wh_0", event="other:event"), there)
    with WireServer(host) as server:
        made = make_client(server.url).register_webhook(URL)
    assert made == Registration(id="wh_1", updated=updated)
    assert host.changes == ([("PUT", "/api/v2/webhooks/wh_1", TUTORIAL_WEBHOOK)] if updated else [])


def test_other_peoples_webhooks_stay_as_they_are(make_client: Any) -> None:
    foreign = registered("wh_x", name="theirs", httpTarget=at(OTHER_URL))
    host = Registrations(foreign)
    with WireServer(host) as server:
        made = make_client(server.url).register_webhook(URL)
    assert made.created
    assert [method for method, _, _ in host.changes] == ["POST"]


def test_surplus_registrations_are_switched_off_and_the_best_one_stays(make_client: Any) -> None:
    host = Registrations(
        registered("wh_1", name="by hand"),
        registered("wh_2", httpTarget=at(OTHER_URL)),
        registered("wh_3", enabled=False),
        registered("wh_4"),
        size=2,
    )
    with WireServer(host) as server:
        made = make_client(server.url).register_webhook(URL)
    assert made == Registration(id="wh_4", disabled=("wh_2", "wh_1"))
    assert [(target, body["enabled"]) for _, target, body in host.changes] == [
        ("/api/v2/webhooks/wh_2", False),
        ("/api/v2/webhooks/wh_1", False),
    ]


def as_page(*webhooks: dict[str, Any]) -> bytes:
    return http(200, json.dumps({"entities": webhooks, "hasMore": False}).encode())


def changed(server: WireServer) -> list[tuple[str, str, bool]]:
    return [
        (seen.method, seen.target.rpartition("/")[2], json.loads(seen.body)["enabled"])
        for seen in server.requests
        if seen.method != "GET"
    ]


def test_of_two_that_register_at_once_both_keep_the_same_one(make_client: Any) -> None:
    mine, rival = registered("wh_b"), registered("wh_a")
    both = as_page(mine, rival)
    answers = says(as_page(), http(201, b'{"id":"wh_b"}'), both, http(200, b"{}"), both)
    with WireServer(answers) as server:
        made = make_client(server.url).register_webhook(URL, secret="hush-hush")
    assert made == Registration(id="wh_a", disabled=("wh_b",))
    assert changed(server) == [("POST", "webhooks", True), ("PUT", "wh_b", False)]

    mine = registered("wh_0")
    both = as_page(rival, mine)
    answers = says(as_page(), http(201, b'{"id":"wh_0"}'), both, http(200, b"{}"), both)
    with WireServer(answers) as server:
        made = make_client(server.url).register_webhook(URL)
    assert made == Registration(id="wh_0", created=True, disabled=("wh_a",))


def test_a_registration_that_another_one_switched_off_meanwhile_is_an_error(
    make_client: Any,
) -> None:
    mine, rival = registered("wh_1"), registered("wh_2", httpTarget=at(OTHER_URL))
    after = as_page(mine | {"enabled": False}, rival)
    with (
        WireServer(says(as_page(mine, rival), http(200, b"{}"), after)) as server,
        pytest.raises(ServiceFailedError, match="registers another address at the same time"),
    ):
        make_client(server.url).register_webhook(URL)


def test_a_new_registration_that_the_list_does_not_show_yet_is_made_once(make_client: Any) -> None:
    with WireServer(says(as_page(), http(201, b'{"id":"wh_9"}'), as_page())) as server:
        made = make_client(server.url).register_webhook(URL)
    assert made == Registration(id="wh_9", created=True)
    assert changed(server) == [("POST", "webhooks", True)]


def test_a_secret_is_put_each_time_and_never_said(make_client: Any) -> None:
    host = Registrations(registered("wh_1"))
    with WireServer(host) as server:
        client = make_client(server.url)
        made = client.register_webhook(URL, secret="hush-hush")
    assert made.updated
    assert host.changes[0][2]["secret"] == "hush-hush"
    echo = http(403, b'{"message": "hush-hush is no good"}')
    with WireServer(says(http(200, b'{"entities":[]}'), echo)) as server:
        client = make_client(server.url)
        with pytest.raises(PermissionDeniedError, match="webhook:write") as caught:
            client.register_webhook(URL, secret="hush-hush")
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize("status", [404, 405])
def test_where_there_is_no_list_it_is_created(make_client: Any, status: int) -> None:
    with WireServer(says(http(status), http(201, b'{"id":"wh_9"}'))) as server:
        made = make_client(server.url).register_webhook(URL, name="mine")
    assert made == Registration(id="wh_9", created=True)
    assert json.loads(server.requests[1].body)["name"] == "mine"


def test_a_registration_without_an_id_is_an_error(make_client: Any) -> None:
    with (
        WireServer(says(http(200, b'{"entities":[]}'), http(201, b"{}"))) as server,
        pytest.raises(ServiceFailedError, match="gave no id"),
    ):
        make_client(server.url).register_webhook(URL)


def test_a_registration_that_nobody_confirms_is_found_the_next_time(
    simulator: SimulatorProcess, client: GenesysClient
) -> None:
    # The list is the first request; the fault is for the second.
    simulator.faults([{"on": "webhook", "fault": "drop_after", "every": 2, "times": 1}])
    with pytest.raises(OutcomeUnknownError):
        client.register_webhook(URL)
    simulator.clear_faults()
    assert not client.register_webhook(URL).created


@pytest.mark.parametrize("url", ["", "receiver.example", "ftp://x/", "http://"])
def test_what_is_no_url_is_not_registered(client: GenesysClient, url: str) -> None:
    with pytest.raises(ConnectionSettingsError, match="GENESYS_WEBHOOK_URL"):
        client.register_webhook(url)


def test_the_name_is_the_tutorials() -> None:
    assert TUTORIAL_WEBHOOK["name"] == WEBHOOK_NAME
