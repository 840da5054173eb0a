"""Looking behind the API: the journal, the counts, the reset."""

from __future__ import annotations

import time

import requests

from tests.simulator.caller import MESSAGES, WEBHOOKS, Caller, a_message, a_message_to, a_webhook
from tests.simulator.server import SimulatorProcess


def test_the_journal_counts_and_orders_what_was_asked(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    begun = time.time()
    message_id = caller.send(a_message()).json()["id"]
    caller.send({})
    caller.list(pageSize=1)
    caller.get(f"{MESSAGES}/{message_id}")
    caller.get("/nowhere")
    journal = simulator.requests()
    assert journal["counts"] == {
        "POST /oauth/token": {"200": 1},
        f"POST {MESSAGES}": {"201": 1, "400": 1},
        f"GET {MESSAGES}": {"200": 1},
        f"GET {MESSAGES}/{{id}}": {"200": 1},
        "unknown": {"404": 1},
    }
    listed = journal["requests"][1:]
    assert [(each["method"], each["path"], each["status"]) for each in listed] == [
        ("POST", MESSAGES, 201),
        ("POST", MESSAGES, 400),
        ("GET", MESSAGES, 200),
        ("GET", f"{MESSAGES}/{message_id}", 200),
        ("GET", "/nowhere", 404),
    ]
    times = [each["at"] for each in listed]
    assert times == sorted(times)
    # The two processes read the same clock.
    assert begun - 0.01 <= times[0] <= times[-1] <= time.time() + 0.01


def test_stretches_of_the_log_make_up_the_whole(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    for number in range(7):
        caller.send(a_message_to(number))
    parts = [
        requests.get(
            f"{simulator.url}/_sim/messages", params={"offset": offset, "limit": 3}, timeout=60
        ).json()
        for offset in (0, 3, 6, 9)
    ]
    assert {part["total"] for part in parts} == {7}
    addresses = [entity["to"] for part in parts for entity in part["entities"]]
    assert addresses == [f"whatsapp:+1202555{number:04d}" for number in range(7)]


def test_the_admin_api_needs_no_token_and_is_not_journalled(simulator: SimulatorProcess) -> None:
    answer = requests.get(f"{simulator.url}/_sim/health", timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert simulator.requests()["total"] == 0
    assert requests.get(f"{simulator.url}/_sim/nowhere", timeout=60).status_code == 404


def test_a_reset_forgets_everything(simulator: SimulatorProcess, caller: Caller) -> None:
    caller.send(a_message())
    caller.call("POST", WEBHOOKS, json=a_webhook("http://127.0.0.1:9/"))
    simulator.faults([{"on": "token", "fault": "hang"}])
    simulator.reset()
    assert simulator.messages() == simulator.faults() == []
    assert simulator.requests() == {"counts": {}, "total": 0, "requests": []}
    assert simulator.stats() == {
        "messages": 0,
        "byStatus": dict.fromkeys(("queued", "sent", "delivered", "read", "failed"), 0),
        "changesPending": 0,
        "eventsDelivered": 0,
        "eventsPending": 0,
        "eventsFailed": 0,
    }
    assert caller.list().status_code == 401
    fresh = Caller(simulator)
    assert fresh.call("GET", WEBHOOKS).json()["total"] == 0
    fresh.close()
