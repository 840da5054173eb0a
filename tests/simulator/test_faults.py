"""Faults on order: what the client sees, and whether the message was accepted."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from requests import HTTPError
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from requests.exceptions import ConnectionError as ClosedConnection

from tests.simulator.caller import WEBHOOKS, Caller, a_message, a_message_to, a_webhook, an_sms
from tests.simulator.server import SimulatorProcess, wait_for


def test_a_connection_dropped_before_leaves_no_message(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.faults([{"on": "send", "fault": "drop_before", "times": 1}])
    with pytest.raises(ClosedConnection, match=r"Remote end closed|Connection aborted"):
        caller.send(a_message())
    assert simulator.messages() == []
    assert caller.send(a_message()).status_code == 201


def test_a_connection_dropped_after_leaves_a_message(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.faults([{"on": "send", "fault": "drop_after", "times": 1}])
    with pytest.raises(ClosedConnection):
        caller.send(a_message())
    assert len(simulator.messages()) == 1
    assert simulator.requests()["requests"][-1]["status"] == 0


def test_a_message_that_is_not_valid_is_refused_and_not_dropped(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.faults([{"on": "send", "fault": "drop_after"}])
    assert caller.send({}).status_code == 400


@pytest.mark.parametrize("after_accept", [False, True])
def test_a_status_is_answered_with_its_headers_and_body(
    simulator: SimulatorProcess, caller: Caller, after_accept: bool
) -> None:
    rule = {
        "on": "send",
        "fault": "status",
        "status": 502,
        "headers": {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"},
        "body": {"odd": True},
        "after_accept": after_accept,
    }
    simulator.faults([rule])
    answer = caller.send(a_message())
    assert (answer.status_code, answer.json()) == (502, {"odd": True})
    assert answer.headers["Retry-After"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert len(simulator.messages()) == int(after_accept)


def test_a_status_without_a_body_answers_with_an_error_body(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.faults([{"fault": "status"}])
    body = caller.list().json()
    assert (body["status"], body["code"]) == (503, "service.unavailable")


@pytest.mark.parametrize(
    ("fault", "text"), [("garbage", '{"id": "msg_'), ("empty", ""), ("html", "<!doctype html>")]
)
@pytest.mark.parametrize("after_accept", [False, True])
def test_a_success_that_can_not_be_read(
    simulator: SimulatorProcess, caller: Caller, fault: str, text: str, after_accept: bool
) -> None:
    simulator.faults([{"on": "send", "fault": fault, "after_accept": after_accept}])
    answer = caller.send(a_message())
    assert answer.status_code == 201
    assert answer.text.startswith(text)
    with pytest.raises(ValueError, match=r"Expecting value|Unterminated string"):
        answer.json()
    assert ("html" in answer.headers["Content-Type"]) == (fault == "html")
    assert len(simulator.messages()) == int(after_accept)


def test_a_body_that_breaks_off(simulator: SimulatorProcess, caller: Caller) -> None:
    simulator.faults([{"on": "send", "fault": "truncate", "after_accept": True, "times": 1}])
    with pytest.raises((ChunkedEncodingError, ClosedConnection)):
        caller.send(a_message())
    assert len(simulator.messages()) == 1
    assert caller.send(a_message()).status_code == 201


def test_a_hang_answers_after_its_delay(simulator: SimulatorProcess, caller: Caller) -> None:
    simulator.faults([{"on": "send", "fault": "hang", "delay_s": 0.3}])
    begun = time.monotonic()
    assert caller.send(a_message()).status_code == 201
    assert time.monotonic() - begun >= 0.3
    assert len(simulator.messages()) == 1


def test_a_hang_after_acceptance_outlasts_the_client(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.faults([{"on": "send", "fault": "hang", "delay_s": 10, "after_accept": True}])
    with pytest.raises(ReadTimeout):
        caller.send(a_message(), timeout=0.2)
    wait_for(lambda: len(simulator.messages()), (1).__eq__)


def test_a_hang_before_acceptance_accepts_when_the_client_has_gone(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.faults([{"on": "send", "fault": "hang", "delay_s": 1}])
    begun = datetime.now(UTC)
    with pytest.raises(ReadTimeout):
        caller.send(a_message(), timeout=0.1)
    (message,) = wait_for(simulator.messages, bool)
    # Dates are cut to the millisecond.
    assert datetime.fromisoformat(message["acceptedAt"]) - begun >= timedelta(milliseconds=999)


def test_a_token_is_revoked_in_the_middle(simulator: SimulatorProcess, caller: Caller) -> None:
    simulator.faults([{"on": "send", "fault": "revoke_token", "times": 1}])
    for _ in range(2):
        answer = caller.send(a_message())
        assert (answer.status_code, answer.json()["code"]) == (401, "bad.credentials")
    fresh = Caller(simulator)
    assert fresh.send(a_message()).status_code == 201
    fresh.close()


def test_a_fault_strikes_only_where_it_is_told_to(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    message_id = caller.send(a_message()).json()["id"]
    simulator.faults([{"on": "list", "fault": "status", "status": 500}])
    assert caller.list().status_code == 500
    assert caller.get(f"/api/v2/messaging/messages/{message_id}").status_code == 200
    assert caller.send(a_message()).status_code == 201
    simulator.clear_faults()
    simulator.faults([{"on": "webhook", "fault": "status", "status": 500}])
    assert caller.list().status_code == 200
    body = a_webhook("http://127.0.0.1:9/")
    assert caller.call("POST", WEBHOOKS, json=body).status_code == 500
    simulator.clear_faults()
    simulator.faults([{"on": "token", "fault": "status", "status": 400, "body": {"error": "x"}}])
    with pytest.raises(HTTPError, match="400"):
        simulator.token()


def outcomes(caller: Caller, count: int) -> list[int]:
    return [caller.send(a_message_to(number)).status_code for number in range(count)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"times": 2}, [503, 503, 201, 201, 201, 201]),
        ({"every": 3}, [201, 201, 503, 201, 201, 503]),
        ({"every": 2, "times": 2}, [201, 503, 201, 503, 201, 201]),
        ({}, [503] * 6),
    ],
)
def test_how_often_a_fault_strikes(
    simulator: SimulatorProcess, caller: Caller, rule: dict[str, int], expected: list[int]
) -> None:
    simulator.faults([{"on": "send", "fault": "status"} | rule])
    assert outcomes(caller, 6) == expected
    assert simulator.faults()[0]["struck"] == expected.count(503)


def test_a_share_strikes_about_so_often_and_alike_in_every_run(
    simulator: SimulatorProcess,
) -> None:
    runs = []
    for _ in range(2):
        simulator.reset()
        simulator.faults([{"on": "send", "fault": "status", "share": 0.3}])
        caller = Caller(simulator)
        runs.append(outcomes(caller, 200))
        caller.close()
    assert runs[0] == runs[1]
    # 200 draws at 0.3: 60 struck, and 3 standard deviations are 19.
    assert 41 <= runs[0].count(503) <= 79


@pytest.mark.parametrize("named", ["+12025550002", "whatsapp:+12025550002"])
def test_a_fault_strikes_one_recipient(
    simulator: SimulatorProcess, caller: Caller, named: str
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "match": {"to": named}}])
    assert outcomes(caller, 4) == [201, 201, 503, 201]
    assert caller.send(an_sms()).status_code == 201


def test_a_fault_is_not_spent_on_a_request_that_fails_anyway(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "times": 1}])
    simulator.revoke_tokens()
    assert caller.send(a_message()).status_code == 401
    fresh = Caller(simulator)
    assert outcomes(fresh, 2) == [503, 201]
    fresh.close()


def test_the_first_rule_that_strikes_decides(simulator: SimulatorProcess, caller: Caller) -> None:
    simulator.faults([{"fault": "status", "status": 500, "times": 1}])
    simulator.faults([{"fault": "status", "status": 502}])
    assert outcomes(caller, 2) == [500, 502]


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"fault": "explode"},
        {"fault": "status", "on": "everywhere"},
        {"fault": "status", "share": 2},
        {"fault": "status", "tims": 1},
        {"fault": "status", "times": 0},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    simulator: SimulatorProcess, rule: dict[str, Any]
) -> None:
    with pytest.raises(RuntimeError, match="400"):
        simulator.faults([rule])
    assert simulator.faults() == []
