from __future__ import annotations

import base64
import json
import logging
import socket
import traceback
from typing import Any
from urllib.parse import parse_qs

import pytest

from genesys_cloud.api.auth import SCOPES
from genesys_cloud.errors import (
    ApiError,
    AuthenticationError,
    EndpointMissingError,
    NotSentError,
    PermissionDeniedError,
    ThrottledError,
)
from tests.api.samples import SENT, TOKENS, a_message, an_agentless_message
from tests.api.wire import TOKEN, WireServer, closes, http, says, then_closes
from tests.simulator.server import SimulatorProcess

REFUSED = http(400, b'{"error":"invalid_client","description":"client not found"}')
ACCEPTED = says(http(201, b'{"id":"m1","status":"queued"}'))


def test_the_tutorials_form_asks_for_its_four_scopes(make_client: Any) -> None:
    with WireServer(ACCEPTED) as server:
        make_client(server.url, account={"profile": "messaging"}).authenticate()
    (login,) = server.logins
    assert (login.method, login.target) == ("POST", "/oauth/token")
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in login.headers
    assert parse_qs(login.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["sim-client"],
        "client_secret": ["sim-secret"],
        "scope": ["messaging:messages:write messaging:messages:read webhook:write analytics:read"],
    }


@pytest.mark.parametrize("status", [400, 401])
def test_auto_asks_with_a_basic_header_where_the_form_is_refused(
    make_client: Any, status: int
) -> None:
    refused = http(status, b'{"error":"invalid_scope"}')
    with WireServer(ACCEPTED, login=says(refused, TOKEN)) as server:
        account = {"client_secret": "s:ö", "profile": "auto"}
        make_client(server.url, account=account).authenticate()
    form, basic = server.logins
    assert b"client_secret" in form.body
    assert basic.body == b"grant_type=client_credentials"
    scheme, _, credentials = basic.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(credentials).decode()) == ("Basic", "sim-client:s:ö")


def test_a_pinned_profile_asks_in_one_way_only(make_client: Any) -> None:
    with (
        WireServer(ACCEPTED, login=says(REFUSED)) as server,
        pytest.raises(AuthenticationError),
    ):
        make_client(server.url, account={"profile": "messaging"}).authenticate()
    assert len(server.logins) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"client_id": "nobody"}, "client not found"), ({"client_secret": "no"}, "authentication")],
)
def test_wrong_credentials_name_cause_url_and_cure(
    simulator: SimulatorProcess, make_client: Any, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(AuthenticationError) as caught:
        make_client(simulator.url, account=wrong | {"profile": "auto"}).send(a_message())
    for word in (f"{simulator.url}/oauth/token", said, "genesys_test", "client secret", "region"):
        assert word in str(caught.value)
    assert caught.value.correlation_id in str(caught.value)
    # Asked twice, in two ways, and then no more: the credentials are wrong for both.
    assert sum(simulator.requests()["counts"][TOKENS].values()) == 2
    assert SENT not in simulator.requests()["counts"]


@pytest.mark.parametrize("profile", ["auto", "messaging", "agentless"])
def test_the_token_endpoints_own_limit_is_throttling_although_it_answers_400(
    make_client: Any, profile: str
) -> None:
    body = {"error": "invalid_request", "description": "rate limit exceeded; try again"}
    reply = http(400, json.dumps(body).encode(), Retry_After="30")
    with (
        WireServer(ACCEPTED, login=says(reply)) as server,
        pytest.raises(ThrottledError) as caught,
    ):
        make_client(server.url, account={"profile": profile}).send(an_agentless_message())
    assert caught.value.retry_after == 30.0
    assert (len(server.logins), len(server.requests)) == (1, 0)


def test_the_limit_is_seen_at_the_second_way_of_asking_too(make_client: Any) -> None:
    body = {"error": "invalid_request", "error_description": "rate limit exceeded; try again"}
    throttled = http(400, json.dumps(body).encode(), Retry_After="30")
    with (
        WireServer(ACCEPTED, login=says(REFUSED, throttled)) as server,
        pytest.raises(ThrottledError),
    ):
        make_client(server.url, account={"profile": "auto"}).send(a_message())
    assert (len(server.logins), len(server.requests)) == (2, 0)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (http(429, b"{}", Retry_After="5"), ThrottledError),
        (http(403), PermissionDeniedError),
        (http(404), EndpointMissingError),
        (http(302, Location="http://127.0.0.1:9/"), EndpointMissingError),
        (http(500), NotSentError),
        (http(503), NotSentError),
        (http(200, b"<html>"), NotSentError),
        (http(200, b"[]"), NotSentError),
        (http(200, b"{}"), NotSentError),
        (http(200, b'{"access_token": ""}'), NotSentError),
        (http(200, b'{"access_token": 7}'), NotSentError),
        (http(200, b'{"access_token": "a\\r\\nX-Evil: 1"}'), NotSentError),
        (http(200, '{"access_token": "tokén"}'.encode()), NotSentError),
        (http(204), NotSentError),
    ],
)
def test_without_a_token_nothing_is_sent(
    make_client: Any, reply: bytes, kind: type[Exception]
) -> None:
    with WireServer(ACCEPTED, login=says(reply)) as server, pytest.raises(kind) as caught:
        make_client(server.url).send(a_message())
    assert f"{server.url}/oauth/token" in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("breaks", [closes, then_closes(b"HTTP/1.1 200 OK\r\nContent-Le")])
def test_a_login_that_breaks_off_has_sent_nothing(make_client: Any, breaks: Any) -> None:
    with (
        WireServer(ACCEPTED, login=breaks) as server,
        pytest.raises(NotSentError, match="nothing was sent"),
    ):
        make_client(server.url).send(a_message())
    assert len(server.logins) == 1


def test_a_read_asks_for_a_token_again_where_that_may_help(
    make_client: Any, sleeps: list[float]
) -> None:
    with WireServer(
        says(http(404, b'{"code":"not.found"}')), login=says(http(503), TOKEN)
    ) as server:
        assert make_client(server.url).delivery("m1") is None
    assert (len(server.logins), len(sleeps)) == (2, 1)


def test_netrc_does_not_replace_the_token(
    make_client: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with WireServer(ACCEPTED) as server:
        make_client(server.url).send(a_message())
    assert server.requests[0].headers["authorization"] == "Bearer wire-token"


# --- describe


def test_describe_says_where_who_and_what_may_be_done(
    simulator: SimulatorProcess, make_client: Any
) -> None:
    client = make_client(simulator.url, account={"profile": "auto"})
    client.authenticate()
    said = client.describe()
    profile = "Profile messaging: the host answers 200 for /api/v2/messaging/messages."
    for word in (f"{simulator.url}/oauth/token", profile, *SCOPES, "missing: none", "35"):
        assert word in said
    # A test of the connection that reuses a token would not have tested the credentials.
    assert sum(simulator.requests()["counts"][TOKENS].values()) == 2


def test_describe_names_missing_scopes(make_client: Any) -> None:
    body = b'{"access_token":"t","expires_in":100,"scope":"messaging:messages:read"}'
    with WireServer(ACCEPTED, login=says(http(200, body))) as server:
        said = make_client(server.url).describe()
    assert "missing: messaging:messages:write webhook:write analytics:read." in said


def test_describe_of_a_region_names_it(make_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client("", account={"region": "eu_central_1"})
    monkeypatch.setattr("socket.getaddrinfo", no_such_host)
    with pytest.raises(NotSentError, match=r"login\.mypurecloud\.de") as caught:
        client.describe()
    assert "does not resolve" in str(caught.value)
    assert "region eu_central_1" in str(caught.value)


def no_such_host(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


# --- what is never shown


def test_no_secret_is_shown_anywhere(make_client: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = http(400, b'{"error":"invalid_client","description":"secret hunter2 is wrong"}')
    shown = []
    with WireServer(says(http(401, b"{}")), login=says(TOKEN, TOKEN, echo)) as server:
        client = make_client(server.url, account={"client_secret": "hunter2"})
        shown += [repr(client), repr(client.__dict__), repr(client.session.auth.__dict__)]
        for attempt in (lambda: client.send(a_message()), client.describe):
            try:
                attempt()
            except ApiError:
                shown.append(traceback.format_exc())
    assert len(shown) == 5
    for text in (*shown, caplog.text):
        for hidden in ("hunter2", "wire-token", "59000000", "Bearer"):
            assert hidden not in text
