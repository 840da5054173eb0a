"""What a client finds out once: the profile that a host serves, and the account's limit."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.profiles import agentless
from genesys_cloud.errors import AuthenticationError, NotSentError, TokenRefusedError
from tests.api.samples import AGENTLESS_SENT, LISTED, SENT, a_message, an_agentless_message
from tests.api.test_api_send import requests_for
from tests.api.test_api_tokens import token_file
from tests.api.wire import TOKEN, Behaviour, Seen, WireServer, closes, http, resets, says
from tests.closed_port import closed_port
from tests.simulator.server import PATIENCE_S, SimulatorProcess

AUTO = {"profile": "auto"}
LIST = "/api/v2/messaging/messages"
LIMITS = "/api/v2/organizations/limits/namespaces/platform.api"
MISSING = http(404, b'{"code":"not.found","message":"no such path","status":404}')
TOLD = """
import sys, pathlib
from genesys_cloud.api.client import GenesysClient
from genesys_cloud.settings import Account
account = Account(name="x", client_id=sys.argv[2], client_secret=sys.argv[3], base_url=sys.argv[1])
with GenesysClient(account, state_dir=pathlib.Path(sys.argv[4])) as client:
    client.authenticate()
    print(client.profile, client.requests_per_minute)
"""


def paths(server: WireServer) -> list[str]:
    """Return the paths that were asked for, without their queries."""
    return [seen.target.partition("?")[0] for seen in server.requests]


def answering(**answers: bytes) -> Behaviour:
    """Answer the list, the limits and the send each with its own bytes."""
    by_path = {LIST: answers.get("list", MISSING), LIMITS: answers.get("limits", MISSING)}

    def behave(connection: socket.socket, seen: Seen) -> None:
        path = seen.target.partition("?")[0]
        connection.sendall(by_path.get(path, answers.get("send", MISSING)))

    return behave


# --- which profile


@pytest.mark.parametrize(
    ("answer", "profile"),
    [
        (MISSING, "agentless"),
        (http(404, b"<html>"), "agentless"),
        (http(200, b'{"entities":[],"total":0}'), "messaging"),
        (http(400, b'{"code":"bad.request"}'), "messaging"),
        (http(403, b'{"code":"missing.permissions"}'), "messaging"),
        (http(405), "messaging"),
        (http(409), "messaging"),
        (http(415), "messaging"),
    ],
)
def test_one_answer_says_which_profile_a_host_serves(
    make_client: Any, answer: bytes, profile: str
) -> None:
    with WireServer(answering(list=answer)) as server:
        client = make_client(server.url, account=AUTO)
        client.authenticate()
        assert client.profile == client.profile == profile
        assert paths(server) == [LIST]
        status = answer.split()[1].decode()
        assert client.profile_reason == f"the host answers {status} for {LIST}"


@pytest.mark.parametrize("profile", ["messaging", "agentless"])
def test_a_profile_that_the_connection_names_is_not_asked_for(
    make_client: Any, profile: str
) -> None:
    with WireServer(says(http(500))) as server:
        client = make_client(server.url, account={"profile": profile})
        client.authenticate()
        assert client.profile == profile
        assert client.profile_reason == "the connection names it"
    assert server.requests == []


@pytest.mark.parametrize(
    "behave",
    [
        says(http(500)),
        says(http(503)),
        says(http(429, b"{}", Retry_After="1")),
        says(http(408)),
        says(http(407)),
        says(http(302, Location="http://127.0.0.1:9/")),
        says(http(200, b"<html>a portal</html>")),
        says(http(200, b"[]")),
        closes,
        resets,
    ],
)
def test_without_a_clear_answer_nothing_is_sent(make_client: Any, behave: Behaviour) -> None:
    with WireServer(behave) as server:
        client = make_client(server.url, account=AUTO)
        for ask in (lambda: client.send(a_message()), client.authenticate):
            with pytest.raises(NotSentError, match="Nobody knows which profile") as caught:
                ask()
            assert "nothing was sent" in str(caught.value)
            assert "'genesys_test' to messaging or agentless" in str(caught.value)
    assert {seen.method for seen in server.requests} == {"GET"}


def test_a_host_that_is_not_there_has_no_profile(make_client: Any) -> None:
    with WireServer(closes) as login, closed_port() as port:
        client = make_client(login.url, account=AUTO)
        client.session.hosts = client.session.hosts._replace(api=f"http://127.0.0.1:{port}")
        with pytest.raises(NotSentError, match="Nobody knows which profile"):
            client.send(a_message())


def test_a_probe_that_passes_at_the_second_try_counts(
    make_client: Any, sleeps: list[float]
) -> None:
    with WireServer(says(http(503), MISSING)) as server:
        assert make_client(server.url, account=AUTO).profile == "agentless"
    assert (len(server.requests), len(sleeps)) == (2, 1)


def test_a_token_that_is_refused_twice_says_nothing_of_the_profile(make_client: Any) -> None:
    with WireServer(says(http(401))) as server, pytest.raises(TokenRefusedError):
        make_client(server.url, account=AUTO).send(a_message())
    assert len(server.requests) == 2


def test_an_answer_after_a_failure_is_asked_for_again(make_client: Any) -> None:
    with WireServer(says(*[http(500)] * 1, MISSING)) as server:
        client = make_client(server.url, account=AUTO)
        with pytest.raises(NotSentError):
            client.authenticate()
        client.authenticate()
        assert client.profile == "agentless"


def test_each_profile_gets_its_own_request(
    simulator: SimulatorProcess, platform: SimulatorProcess, make_client: Any
) -> None:
    make_client(simulator.url, account=AUTO).send(a_message())
    make_client(platform.url, account=AUTO).send(an_agentless_message())
    assert requests_for(simulator, SENT) == requests_for(simulator, LISTED) == 1
    assert requests_for(platform, AGENTLESS_SENT) == 1


# --- asked once


def test_a_hundred_threads_with_clients_of_their_own_ask_once(make_client: Any) -> None:
    with WireServer(answering()) as server:
        clients = [make_client(server.url, account=AUTO) for _ in range(100)]
        with ThreadPoolExecutor(100) as threads:
            list(threads.map(GenesysClient.authenticate, clients))
            limits = set(threads.map(lambda client: client.requests_per_minute, clients))
        assert {client.profile for client in clients} == {"agentless"}
    assert sorted(paths(server)) == [LIST, LIMITS]
    assert limits == {300}


def test_processes_share_what_one_of_them_has_found_out(
    platform: SimulatorProcess, tmp_path: Path
) -> None:
    arguments = [platform.url, platform.client_id, platform.client_secret, str(tmp_path)]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", TOLD, *arguments],
            env=environment, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    assert [each.communicate(timeout=PATIENCE_S)[0] for each in started] == [
        "agentless 1000000\n"
    ] * 3
    asked = [entry["path"] for entry in platform.requests()["requests"]]
    assert sorted(asked) == [LIST, LIMITS, "/oauth/token", "/oauth/token"]


def test_a_slow_probe_does_not_keep_others_from_their_token(
    make_client: Any, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: socket.socket, seen: Seen) -> None:
        begun.set()
        go_on.wait(PATIENCE_S)
        connection.sendall(MISSING)

    with WireServer(slow) as server, ThreadPoolExecutor(1) as thread:
        asking = thread.submit(make_client(server.url, account=AUTO).authenticate)
        assert begun.wait(PATIENCE_S)
        # The token is there to be used, though nobody knows the profile yet.
        assert make_client(server.url, account=AUTO).session.auth.token().value == "wire-token"
        go_on.set()
        asking.result()
    assert len(server.logins) == 1


def test_what_was_learnt_ends_with_its_token(make_client: Any) -> None:
    with WireServer(answering()) as server:
        make_client(server.url, account=AUTO).authenticate()
        make_client(server.url, account=AUTO).describe()
    # The Test button asks everything anew.
    assert paths(server) == [LIST, LIST, LIMITS]
    assert len(server.logins) == 2


def test_a_token_file_of_an_earlier_version_is_still_good(make_client: Any, tmp_path: Path) -> None:
    with WireServer(answering()) as server:
        make_client(server.url, account=AUTO).session.auth.token()
        file = token_file(tmp_path / "state")
        fields = json.loads(file.read_text())
        del fields["learnt"]
        file.write_text(json.dumps(fields))
        assert make_client(server.url, account=AUTO).profile == "agentless"
    assert len(server.logins) == 1


@pytest.mark.parametrize(
    "learnt",
    [
        7,
        "agentless",
        {"profile": ["soap", "x"]},
        {"profile": []},
        {"profile": 7},
        {"limit": [0, "x"]},
        {"limit": ["many", "x"]},
        {"limit": {}},
    ],
)
def test_a_token_file_with_nonsense_is_replaced(
    make_client: Any, tmp_path: Path, learnt: object
) -> None:
    with WireServer(answering()) as server:
        make_client(server.url, account=AUTO).authenticate()
        file = token_file(tmp_path / "state")
        file.write_text(json.dumps(json.loads(file.read_text()) | {"learnt": learnt}))
        client = make_client(server.url, account=AUTO)
        assert (client.profile, client.requests_per_minute) == ("agentless", 300)
    assert len(server.logins) == 2


# --- the limit


@pytest.fixture
def paced() -> list[int]:
    """The limits that a client's reads were paced by."""
    return []


def limits_body(**values: object) -> bytes:
    """Return an answer of the limits endpoint."""
    keys = {"client": "client.credentials.token.rate.per.minute", "token": "token.rate.per.minute"}
    entities = [{"key": keys.get(name, name), "value": value} for name, value in values.items()]
    return json.dumps({"entities": entities}).encode()


@pytest.mark.parametrize(
    ("answer", "limit", "source"),
    [
        (http(200, limits_body(client=600, token=900)), 600, "the organisation's limit client.cr"),
        (http(200, limits_body(client=600, token=450)), 450, "organisation's limit token.rate.per"),
        (http(200, limits_body(token=10**9)), 1_000_000, "organisation's limit token"),
        (http(200, limits_body(other=7)), 300, "usual limit"),
        (http(200, limits_body(token=0)), 300, "usual limit"),
        (http(200, limits_body(token=True)), 300, "usual limit"),
        (http(200, b"<html>"), 300, "usual limit"),
        (http(200, b"<html>", inin_ratelimit_allowed="180"), 180, "header inin-ratelimit-allowed"),
        (http(403, b"{}", inin_ratelimit_allowed="180"), 180, "header inin-ratelimit-allowed"),
        (http(404, b"{}", inin_ratelimit_allowed="0"), 300, "usual limit"),
        (http(404, b"{}", inin_ratelimit_allowed="many"), 300, "usual limit"),
        (http(403), 300, "usual limit"),
        (http(404), 300, "usual limit"),
    ],
)
def test_the_organisation_says_what_the_limit_is_or_a_header_or_nobody(
    make_client: Any, paced: list[int], answer: bytes, limit: int, source: str
) -> None:
    with WireServer(answering(limits=answer)) as server:
        client = make_client(server.url, account=AUTO, pace=paced.append)
        assert (client.requests_per_minute, client.requests_per_minute) == (limit, limit)
        assert source in client.limit_source
        client.delivery("m1")
        # Another process finds the answer with the token.
        assert make_client(server.url, account=AUTO).requests_per_minute == limit
        assert paths(server) == [LIST, LIMITS, agentless.details_path("m1")]
    assert paced == [limit]


@pytest.mark.parametrize("behave", [says(http(500)), says(http(429)), closes])
def test_limits_that_can_not_be_read_now_stop_nothing_and_are_asked_for_another_time(
    make_client: Any, behave: Behaviour
) -> None:
    with WireServer(behave) as server:
        client = make_client(server.url, account={"profile": "agentless"})
        assert [client.requests_per_minute for _ in range(3)] == [300] * 3
        assert len(server.requests) == 1
        assert make_client(server.url, account={"profile": "agentless"}).requests_per_minute == 300
        assert len(server.requests) == 2


def test_the_first_paced_read_learns_the_limit_without_being_paced_for_it(
    make_client: Any, paced: list[int]
) -> None:
    with WireServer(answering(limits=http(200, limits_body(token=50)))) as server:
        client = make_client(server.url, account=AUTO, pace=paced.append)
        assert client.delivery("m1") is None
    assert len(server.requests) == 3
    assert paced == [50]


def test_a_number_that_is_configured_is_never_asked_for(make_client: Any, paced: list[int]) -> None:
    with WireServer(answering(limits=http(200, limits_body(token=50)))) as server:
        account = {"profile": "agentless", "requests_per_minute": 77}
        client = make_client(server.url, account=account, pace=paced.append)
        client.delivery("m1")
        assert client.limit_source == "connection 'genesys_test' says so"
    assert len(server.requests) == 1
    assert paced == [77]


def test_in_the_tutorials_contract_the_probes_header_says_it(make_client: Any) -> None:
    listed = http(200, b'{"entities":[],"total":0}', inin_ratelimit_allowed="240")
    with WireServer(answering(list=listed)) as server:
        client = make_client(server.url, account=AUTO)
        assert client.requests_per_minute == 240
        assert "inin-ratelimit-allowed" in client.limit_source
        assert make_client(server.url, account=AUTO).requests_per_minute == 240
        assert paths(server) == [LIST]


def test_wrong_credentials_are_no_matter_of_limits(make_client: Any) -> None:
    refused = http(400, b'{"error":"invalid_client"}')
    with (
        WireServer(answering(), login=says(refused)) as server,
        pytest.raises(AuthenticationError),
    ):
        _ = make_client(server.url, account={"profile": "agentless"}).requests_per_minute


# --- what the Test button says


@pytest.fixture
def small() -> Iterator[SimulatorProcess]:
    """A platform whose organisation has a limit of its own."""
    with SimulatorProcess(profiles="agentless", requests_per_minute=120) as simulator:
        yield simulator


def test_describe_says_what_was_found_and_what_was_not_tried(
    small: SimulatorProcess, make_client: Any
) -> None:
    said = make_client(small.url, account=AUTO).describe()
    for word in (
        f"{small.url}/oauth/token",
        f"Profile agentless: the host answers 404 for {LIST}.",
        "roles and divisions",
        "was not tried",
        agentless.TO_SEND,
        agentless.TO_VIEW,
        "Limit: 120 requests a minute (the organisation's limit client.credentials",
        "good for 86399 s",
    ):
        assert word in said
    assert "cope" not in said


def test_describe_of_a_pinned_profile_does_not_claim_that_the_host_serves_it(
    make_client: Any,
) -> None:
    with WireServer(says(http(503)), login=says(TOKEN)) as server:
        said = make_client(server.url, account={"profile": "agentless"}).describe()
    assert "Profile agentless: the connection names it" in said


def test_the_hosts_clock_is_compared_with_ours(make_client: Any) -> None:
    told = http(404, b"{}", Date="Sun, 22 Nov 2026 22:17:10 GMT")
    for answer, lead in ((told, 90.0), (http(404), None), (http(404, Date="soon"), None)):
        with WireServer(says(answer)) as server:
            client = make_client(
                server.url, account={"profile": "agentless"}, clock=lambda: 1_795_385_920.0
            )
            assert client.clock_lead_s() == lead
