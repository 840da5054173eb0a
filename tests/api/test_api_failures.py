from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud import errors
from genesys_cloud.api import answers
from genesys_cloud.api.failures import LONGEST_QUOTE, Call, problem, quote, refusal
from genesys_cloud.api.profiles import agentless, agentless_refusals
from genesys_cloud.api.profiles.messaging import parse_receipt
from genesys_cloud.api.transport import Answer
from genesys_cloud.outbound.messages import Receipt

CALL = Call(
    method="POST",
    url="https://api.mypurecloud.com/api/v2/messaging/messages?x=1",
    what="message k1 of campaign camp_789",
    connection="genesys_cloud_default",
    place="region us-east-1",
    hide=("hunter2", "web:abc-visitor"),
)


def answer(status: int, body: object = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return Answer(status, named, raw)


ERROR_BODY = {
    "message": "The message is not valid.",
    "code": "bad.request",
    "status": 400,
    "contextId": "ctx-1",
    "details": [{"errorCode": "invalid.address", "fieldName": "to[0].address"}],
    "errors": [],
}


# --- what is said


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, errors.RequestRejectedError, ["character limit", "consent"]),
        (401, errors.TokenRefusedError, ["client secret", "region", "us-east-1"]),
        (
            403,
            errors.PermissionDeniedError,
            ["messaging:messages:write", "Messaging Administrator"],
        ),
        (404, errors.EndpointMissingError, ["host", "profile"]),
        (405, errors.EndpointMissingError, ["host", "profile"]),
        (302, errors.EndpointMissingError, ["host", "profile"]),
        (409, errors.RequestRejectedError, ["refused again"]),
        (500, errors.ServiceFailedError, ["Genesys support"]),
        (503, errors.ServiceFailedError, ["Try again later"]),
    ],
)
def test_an_error_says_cause_place_and_cure(
    status: int, kind: type[errors.ApiError], words: list[str]
) -> None:
    error = refusal(CALL, answer(status, ERROR_BODY, ININ_Correlation_Id="corr-1"))
    assert type(error) is kind
    assert (error.status, error.correlation_id) == (status, "corr-1")
    said = str(error)
    expected = ["message k1 of campaign camp_789", f"HTTP {status}", "corr-1", "bad.request"]
    expected += ["to[0].address: invalid.address", "POST https://api.mypurecloud.com", *words]
    assert [word for word in expected if word not in said] == []
    assert "?x=1" not in said


def test_without_a_permission_the_role_that_lacks_it_is_to_be_changed() -> None:
    said = str(refusal(replace(CALL, permission="conversation:message:create"), answer(403)))
    for word in ("conversation:message:create", "Roles", "division", "Admin Console"):
        assert word in said
    assert "messaging:messages:write" not in said


@pytest.mark.parametrize("profile", ["messaging", "agentless"])
def test_a_path_that_is_missing_under_a_pinned_profile_names_the_profile(profile: str) -> None:
    said = str(refusal(replace(CALL, profile=profile), answer(404)))
    assert f"profile {profile!r} that connection 'genesys_cloud_default'" in said
    assert "set the profile to auto" in said


def test_throttling_says_how_long() -> None:
    error = refusal(CALL, answer(429, {"code": "too.many.requests"}), retry_after=42.0)
    assert isinstance(error, errors.ThrottledError)
    assert error.retry_after == 42.0
    assert "Wait 42 s" in str(error)
    assert "requests_per_minute" in str(error)


def test_the_correlation_id_may_be_in_the_body_and_must_be_an_id() -> None:
    assert refusal(CALL, answer(400, ERROR_BODY)).correlation_id == "ctx-1"
    odd = answer(400, {"contextId": 17}, ININ_Correlation_Id="a\r\nb" + "x" * 200)
    assert refusal(CALL, odd).correlation_id is None


def test_an_oauth_error_is_read_too() -> None:
    found = problem({"error": "invalid_client", "description": "client not found"})
    assert (found.code, found.text) == ("invalid_client", "invalid_client; client not found")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"code": 5, "details": 7}'])
def test_a_body_that_is_no_error_body_gives_no_reason(body: bytes) -> None:
    assert "no reason given" in str(refusal(CALL, answer(400, body)))


# --- what is not said


def test_the_servers_words_are_short_on_one_line_and_without_addresses_or_secrets() -> None:
    message = (
        "No route to whatsapp:+15559998765 or 555 000 12 34\nfor web:abc-visitor, hunter2, "
        "{connection} {0} %s" + "y" * 1000
    )
    said = str(refusal(CALL, answer(400, {"message": message})))
    for hidden in ("15559998765", "000 12 34", "abc-visitor", "hunter2", "\n", "y" * 300):
        assert hidden not in said
    assert "whatsapp:…65" in said
    assert "{connection} {0} %s" in said


@given(st.text(max_size=2000))
def test_a_quote_is_bounded_printable_and_holds_no_long_number(text: str) -> None:
    quoted = quote(text)
    assert len(quoted) <= LONGEST_QUOTE
    assert quoted.isprintable()
    run = 0
    for character in quoted:
        run = run + 1 if character.isdigit() and character.isdecimal() else 0
        assert run < 7


# --- what an answer to a send means

OUTCOMES = (
    errors.AuthenticationError,
    errors.PermissionDeniedError,
    errors.EndpointMissingError,
    errors.ThrottledError,
    errors.RequestRejectedError,
    errors.NotSentError,
    errors.OutcomeUnknownError,
)
IDS = st.text() | st.integers() | st.none()
MESSAGES = st.fixed_dictionaries({}, optional={"id": IDS, "status": IDS}) | IDS
BODIES = st.one_of(
    st.binary(max_size=50),
    st.builds(
        lambda body: json.dumps(body).encode(),
        st.fixed_dictionaries(
            {},
            optional={
                "id": IDS,
                "status": IDS,
                "message": MESSAGES | st.just("An active conversation is already in progress"),
                "errors": st.lists(MESSAGES, max_size=2),
            },
        ),
    ),
)
PARSERS = {
    "messaging": (parse_receipt, lambda status, body: None),
    "agentless": (agentless.parse_receipt, agentless_refusals.find),
}


@pytest.mark.parametrize("profile", PARSERS)
@given(status=st.integers(0, 999), body=BODIES, whole=st.booleans())
def test_every_answer_to_a_send_has_one_meaning(
    profile: str, status: int, body: bytes, whole: bool
) -> None:
    reply = Answer(status, {}, body, whole)
    parse, explain = PARSERS[profile]
    try:
        receipt = answers.receipt(CALL, reply, 0.0, parse, explain=explain)
    except OUTCOMES as error:
        unknown = isinstance(error, errors.OutcomeUnknownError)
        # Known to be out of reach of the network: everything between 300 and 499 but 408.
        assert unknown is not (300 <= status < 500 and status != 408)
    else:
        assert 200 <= status < 300
        assert whole
        assert receipt.message_id


def test_a_2xx_with_an_id_is_accepted_whatever_the_2xx() -> None:
    for status in (200, 201, 202):
        found = answers.receipt(
            CALL, answer(status, {"id": "m1", "status": "queued"}), 0.0, parse_receipt
        )
        assert found == Receipt(message_id="m1", status="queued")
    assert answers.receipt(CALL, answer(201, {"id": "m1"}), 0.0, parse_receipt).status == "queued"


def test_a_proxy_that_wants_a_login_has_sent_nothing() -> None:
    with pytest.raises(errors.NotSentError, match="proxy"):
        answers.receipt(CALL, answer(407), 0.0, parse_receipt)


def test_an_unclear_answer_names_the_message_and_the_correlation_id() -> None:
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        answers.receipt(
            CALL, answer(502, ERROR_BODY, ININ_Correlation_Id="corr-1"), 0.0, parse_receipt
        )
    for word in ("message k1 of campaign camp_789", "HTTP 502", "corr-1", "Look it up"):
        assert word in str(caught.value)


# --- what an answer to a read means


@pytest.mark.parametrize("body", [b"<html>", b"", b"null"])
def test_a_read_that_is_no_json_is_an_error(body: bytes) -> None:
    with pytest.raises(errors.ServiceFailedError, match="no JSON"):
        answers.content(CALL, answer(200, body), 0.0)


def test_a_read_returns_its_json() -> None:
    content: dict[str, Any] = {"entities": []}
    assert answers.content(CALL, answer(200, content), 0.0) == content
