"""Tokens: what the grant answers, and what a token is good for."""

from __future__ import annotations

from typing import Any

import pytest
from requests import Response, post

from tests.simulator.caller import Caller, a_message
from tests.simulator.server import SimulatorProcess

ALL_SCOPES = "messaging:messages:write messaging:messages:read webhook:write analytics:read"
FORM = {
    "grant_type": "client_credentials",
    "client_id": "sim-client",
    "client_secret": "sim-secret",
}


def ask(simulator: SimulatorProcess, **arguments: Any) -> Response:
    return post(f"{simulator.url}/oauth/token", timeout=60, **arguments)


def test_form_credentials_give_the_token_that_the_contract_shows(
    simulator: SimulatorProcess,
) -> None:
    answer = ask(simulator, data=FORM | {"scope": ALL_SCOPES})
    assert answer.status_code == 200
    body = answer.json()
    assert len(body.pop("access_token")) > 20
    assert body == {"expires_in": 3599, "scope": ALL_SCOPES, "token_type": "Bearer"}


def test_basic_credentials_need_no_client_in_the_form(simulator: SimulatorProcess) -> None:
    answer = ask(
        simulator, data={"grant_type": "client_credentials"}, auth=("sim-client", "sim-secret")
    )
    assert answer.status_code == 200
    assert answer.json()["scope"] == ALL_SCOPES


def test_only_the_requested_scopes_are_granted(simulator: SimulatorProcess) -> None:
    answer = ask(simulator, data=FORM | {"scope": "messaging:messages:read"})
    assert answer.json()["scope"] == "messaging:messages:read"


@pytest.mark.parametrize(
    ("changes", "status", "error", "description"),
    [
        ({"client_id": "someone"}, 400, "invalid_client", "client not found"),
        ({"client_secret": "guess"}, 401, "invalid_client", "authentication failed"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "grant type is not supported"),
        ({"scope": "admin"}, 400, "invalid_scope", "the client may not have that scope"),
    ],
)
def test_a_bad_grant_is_refused_in_the_words_of_oauth(
    simulator: SimulatorProcess,
    changes: dict[str, str],
    status: int,
    error: str,
    description: str,
) -> None:
    answer = ask(simulator, data=FORM | changes)
    assert answer.status_code == status
    assert answer.json() == {
        "error": error,
        "description": description,
        "error_description": description,
    }


def test_basic_credentials_with_a_wrong_secret_are_refused(simulator: SimulatorProcess) -> None:
    grant = {"grant_type": "client_credentials"}
    assert ask(simulator, data=grant, auth=("sim-client", "guess")).status_code == 401


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "authentication.required"),
        ({"Authorization": "Basic c2ltOnNpbQ=="}, "authentication.required"),
        ({"Authorization": "Bearer made-up"}, "bad.credentials"),
    ],
)
def test_without_a_good_token_the_api_answers_401(
    simulator: SimulatorProcess, header: dict[str, str], code: str
) -> None:
    answer = post(
        f"{simulator.url}/api/v2/messaging/messages", json=a_message(), headers=header, timeout=60
    )
    assert answer.status_code == 401
    body = answer.json()
    assert body["code"] == code
    assert body["status"] == 401
    assert body["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert (body["details"], body["errors"]) == ([], [])
    assert simulator.messages() == []


def test_a_revoked_token_is_worth_nothing_and_a_new_one_is(simulator: SimulatorProcess) -> None:
    caller = Caller(simulator)
    simulator.revoke_tokens()
    answer = caller.send(a_message())
    assert (answer.status_code, answer.json()["code"]) == (401, "bad.credentials")
    caller.close()
    caller = Caller(simulator)
    assert caller.send(a_message()).status_code == 201
    caller.close()


def test_an_expired_token_is_told_from_an_unknown_one() -> None:
    with SimulatorProcess(expires_in=0) as simulator:
        caller = Caller(simulator)
        answer = caller.list()
        caller.close()
    assert (answer.status_code, answer.json()["code"]) == (401, "credentials.expired")


@pytest.mark.parametrize(
    ("scope", "path", "missing"),
    [
        ("messaging:messages:read", "/api/v2/messaging/messages", "messaging:messages:write"),
        ("messaging:messages:write", "/api/v2/webhooks", "webhook:write"),
    ],
)
def test_a_token_without_the_scope_answers_403(
    simulator: SimulatorProcess, scope: str, path: str, missing: str
) -> None:
    caller = Caller(simulator, scope)
    answer = caller.call("POST", path, json=a_message())
    caller.close()
    assert (answer.status_code, answer.json()["code"]) == (403, "missing.permissions")
    assert missing in answer.json()["message"]
    assert simulator.messages() == []


def test_reading_needs_the_scope_to_read(simulator: SimulatorProcess) -> None:
    caller = Caller(simulator, "messaging:messages:write")
    assert caller.list().status_code == 403
    assert caller.get("/api/v2/messaging/messages/msg_1").status_code == 403
    caller.close()
