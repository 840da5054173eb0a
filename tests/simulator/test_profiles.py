"""Which of the two profiles is served, and how each is let in."""

from __future__ import annotations

import pytest
from requests import Response, post

from genesys_cloud.simulator.gateway import TABLES
from genesys_cloud.simulator.routing import NOWHERE
from tests.simulator.caller import MESSAGES as CONTRACT
from tests.simulator.caller import WEBHOOKS, Caller, a_message
from tests.simulator.platform_caller import SEND, Platform, an_sms
from tests.simulator.server import SimulatorProcess

GRANT = {"grant_type": "client_credentials"}
CLIENT = ("sim-client", "sim-secret")


def ask(simulator: SimulatorProcess, client: tuple[str, str] | None, **form: str) -> Response:
    return post(f"{simulator.url}/oauth/token", data=GRANT | form, auth=client, timeout=60)


def test_both_profiles_are_served_unless_one_is_chosen(platform: Platform) -> None:
    assert platform.send(a_message()).status_code == 201
    assert platform.post(SEND, an_sms()).status_code == 202
    assert platform.simulator.stats()["messages"] == 2


def test_without_the_messaging_profile_its_paths_are_not_there() -> None:
    with SimulatorProcess(profiles="agentless") as simulator:
        platform = Platform(simulator)
        answers = [platform.get(CONTRACT), platform.send(a_message()), platform.get(WEBHOOKS)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].json()["code"] == "not.found"
        assert platform.post(SEND, an_sms()).status_code == 202
        platform.close()


def test_without_the_agentless_profile_its_paths_are_not_there() -> None:
    with SimulatorProcess(profiles="messaging") as simulator:
        platform = Platform(simulator)
        answer = platform.post(SEND, an_sms())
        assert (answer.status_code, answer.json()["code"]) == (404, "not.found")
        assert platform.send(a_message()).status_code == 201
        platform.close()


def test_the_platform_grants_a_token_to_a_basic_header_alone() -> None:
    with SimulatorProcess(profiles="agentless") as simulator:
        token = ask(simulator, CLIENT).json()
        assert len(token.pop("access_token")) > 20
        assert token == {"token_type": "bearer", "expires_in": 86399}
        in_the_form = ask(simulator, None, client_id=CLIENT[0], client_secret=CLIENT[1])
        assert (in_the_form.status_code, in_the_form.json()["error"]) == (400, "invalid_request")
        unknown = ask(simulator, ("nobody", "sim-secret"))
        assert unknown.status_code == 400
        assert unknown.json() == {
            "error": "invalid_client",
            "description": "client not found",
            "error_description": "client not found",
        }
        assert ask(simulator, CLIENT, scope="anything").json().keys() == token.keys() | {
            "access_token"
        }


def test_a_token_of_the_platform_expires_too() -> None:
    with SimulatorProcess(profiles="agentless", platform_expires_in=0) as simulator:
        platform = Platform(simulator)
        answer = platform.post(SEND, an_sms())
        platform.close()
    assert (answer.status_code, answer.json()["code"]) == (401, "credentials.expired")


def test_the_token_endpoint_has_a_limit_that_is_a_400(simulator: SimulatorProcess) -> None:
    simulator.faults([{"on": "token", "fault": "token_limit", "times": 1}])
    refused = ask(simulator, CLIENT)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert refused.json()["description"].startswith("rate limit exceeded;")
    assert ask(simulator, CLIENT).status_code == 200


def test_a_client_without_the_permission_is_told_which_it_needs() -> None:
    with SimulatorProcess(permissions="conversation:webmessaging:view") as simulator:
        platform = Platform(simulator)
        refused = platform.post(SEND, an_sms())
        assert (refused.status_code, refused.json()["code"]) == (403, "missing.permissions")
        assert refused.json()["message"] == (
            "Unable to perform the requested action. "
            "You are missing the following permission(s): conversation:message:create"
        )
        # One of two is enough to see a message, and none is needed for the limits.
        assert platform.get("/api/v2/conversations/messages/m1/details").status_code == 404
        assert platform.get(LIMITS).status_code == 200
        any_of = platform.query().json()
        assert any_of["code"] == "missing.any.permissions"
        assert "[analytics:conversationDetail:view, " in any_of["message"]
        assert simulator.messages() == []
        platform.close()


LIMITS = "/api/v2/organizations/limits/namespaces/platform.api"


def test_the_organisation_tells_its_limits() -> None:
    with SimulatorProcess(requests_per_minute=7) as simulator:
        platform = Platform(simulator)
        entities = platform.get(LIMITS).json()["entities"]
        assert {each["key"]: each["value"] for each in entities} == {
            "client.credentials.token.rate.per.minute": 7,
            "token.rate.per.minute": 7,
        }
        assert platform.get(LIMITS.replace("platform.api", "nowhere")).status_code == 404
        platform.close()


def test_the_limit_is_named_when_it_is_reached() -> None:
    with SimulatorProcess(requests_per_minute=2) as simulator:
        platform = Platform(simulator)
        answers = [platform.post(SEND, an_sms()) for _ in range(3)]
        platform.close()
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert len(simulator.messages()) == 2
    refused = answers[2]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["inin-ratelimit-allowed"] == "2"
    assert refused.json()["limit"] == {
        "key": "client.credentials.token.rate.per.minute",
        "namespace": "platform.api",
        "value": 2,
    }


@pytest.mark.parametrize(
    ("method", "path", "label", "ids"),
    [
        ("POST", SEND, f"POST {SEND}", ()),
        ("GET", f"{CONTRACT}/m1", f"GET {CONTRACT}/{{id}}", ("m1",)),
        (
            "GET",
            "/api/v2/conversations/messages/c1/messages/m1",
            "GET /api/v2/conversations/messages/{id}/messages/{id}",
            ("c1", "m1"),
        ),
        ("GET", f"{CONTRACT}/", "unknown", ()),
        ("GET", f"{CONTRACT}/m1/more", "unknown", ()),
        ("PATCH", CONTRACT, "unknown", ()),
    ],
)
def test_a_path_leads_to_its_route(
    method: str, path: str, label: str, ids: tuple[str, ...]
) -> None:
    found = TABLES["both"].find(method, path)
    assert (found.label, found.ids) == (label, ids)
    assert (found is NOWHERE) == (label == "unknown")


def test_the_messaging_contract_still_asks_for_scopes(simulator: SimulatorProcess) -> None:
    caller = Caller(simulator, "webhook:write")
    assert caller.send(a_message()).status_code == 403
    assert caller.call("POST", SEND, json=an_sms()).status_code == 202
    caller.close()
