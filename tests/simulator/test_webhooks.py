"""Webhooks: registration, signed deliveries, duplicates and tries again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from tests.closed_port import closed_port
from tests.simulator.caller import MESSAGES, WEBHOOKS, Caller, a_message, a_message_to, a_webhook
from tests.simulator.receiver import STOP_WITHOUT_ANSWER, Received, Receiver
from tests.simulator.server import SimulatorProcess, wait_for

# One event after the other and none astray: sent, delivered.
PLAIN: dict[str, Any] = {
    "failure_share": 0,
    "read_share": 0,
    "duplicate_share": 0,
    "reorder_share": 0,
    "delay_share": 0,
    "speed": 2000,
    "requests_per_minute": 10_000,
}


@pytest.fixture(scope="module")
def plain() -> Iterator[SimulatorProcess]:
    """Run a simulator whose events all arrive once and in order."""
    with SimulatorProcess(**PLAIN) as simulator:
        yield simulator


@contextmanager
def telling(simulator: SimulatorProcess, receiver: Receiver) -> Iterator[Caller]:
    """Register the receiver with a simulator that remembers nothing."""
    simulator.reset()
    caller = Caller(simulator)
    assert caller.call("POST", WEBHOOKS, json=a_webhook(receiver.url)).status_code == 201
    yield caller
    caller.close()


@contextmanager
def pushing(receiver: Receiver, **options: Any) -> Iterator[tuple[SimulatorProcess, Caller]]:
    """Register the receiver with a simulator that has options of its own."""
    with SimulatorProcess(**PLAIN | options) as simulator, telling(simulator, receiver) as caller:
        yield simulator, caller


def signature(secret: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


def statuses(received: list[Received]) -> list[str]:
    return [delivery.status for delivery in received]


def test_a_registration_answers_with_its_id_and_body(caller: Caller) -> None:
    body = a_webhook("http://127.0.0.1:9/hook")
    answer = caller.call("POST", WEBHOOKS, json=body)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown.pop("id").startswith("wh_")
    assert shown == body


def test_a_registration_is_read_listed_replaced_and_removed(caller: Caller) -> None:
    made = [
        caller.call("POST", WEBHOOKS, json=a_webhook(f"http://127.0.0.1:{port}/hook")).json()
        for port in (9, 10)
    ]
    page = caller.call("GET", WEBHOOKS, params={"pageSize": 1, "pageNumber": 2}).json()
    assert page == {
        "pageNumber": 2,
        "pageSize": 1,
        "total": 2,
        "hasMore": False,
        "entities": [made[1]],
    }
    path = f"{WEBHOOKS}/{made[0]['id']}"
    changed = made[0] | {"enabled": False}
    assert caller.call("PUT", path, json=changed).json() == changed
    assert caller.get(path).json() == changed
    assert caller.call("DELETE", path).status_code == 204
    assert caller.get(path).status_code == 404
    assert caller.call("GET", WEBHOOKS).json()["total"] == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_registration_answers_404(caller: Caller, method: str) -> None:
    body = a_webhook("http://127.0.0.1:9/hook")
    assert caller.call(method, f"{WEBHOOKS}/wh_none", json=body).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"apiVersion": "v1"}, "apiVersion"),
        ({"domain": "voice"}, "domain"),
        ({"event": "messaging:messages:created"}, "event"),
        ({"httpTarget": None}, "httpTarget.url"),
        ({"httpTarget": {"url": "ftp://127.0.0.1/", "method": "POST"}}, "httpTarget.url"),
        ({"httpTarget": {"url": "http://127.0.0.1/", "method": "GET"}}, "httpTarget.method"),
        ({"enabled": "yes"}, "enabled"),
    ],
)
def test_a_bad_registration_answers_400_and_names_the_field(
    caller: Caller, changes: dict[str, Any], field: str
) -> None:
    answer = caller.call("POST", WEBHOOKS, json=a_webhook("http://127.0.0.1:9/") | changes)
    assert answer.status_code == 400
    assert field in [each["fieldName"] for each in answer.json()["details"]]
    assert caller.call("GET", WEBHOOKS).json()["total"] == 0


def test_the_secret_of_a_registration_is_never_shown(caller: Caller) -> None:
    body = a_webhook("http://127.0.0.1:9/", secret="a-secret-of-its-own")
    answer = caller.call("POST", WEBHOOKS, json=body)
    assert "a-secret-of-its-own" not in answer.text + caller.get(WEBHOOKS).text


def test_each_status_change_is_pushed_signed_and_as_the_contract_shows(
    plain: SimulatorProcess,
) -> None:
    with Receiver() as receiver, telling(plain, receiver) as caller:
        message_id = caller.send(a_message()).json()["id"]
        plain.wait_until_quiet()
        entity = caller.get(f"{MESSAGES}/{message_id}").json()
        stats = plain.stats()
    assert (stats["eventsDelivered"], stats["eventsFailed"]) == (2, 0)
    # The two changes are half a millisecond apart, and deliveries run side by side.
    assert sorted(statuses(receiver.received)) == ["delivered", "sent"]
    for delivery in receiver.received:
        event = delivery.event
        assert event.pop("id").startswith("evt_")
        assert event == {
            "type": "messaging:messages:updated",
            "data": {
                "messageId": message_id,
                "status": delivery.status,
                "timestamp": entity[f"{delivery.status}Date"],
            },
        }
        headers = {name.lower(): value for name, value in delivery.headers.items()}
        assert headers["x-hub-signature-256"] == signature("sim-webhook-secret", delivery.body)


def test_a_webhook_with_a_secret_of_its_own_is_signed_with_it(plain: SimulatorProcess) -> None:
    with Receiver() as receiver, telling(plain, receiver) as caller:
        webhook = caller.call("GET", WEBHOOKS).json()["entities"][0]
        caller.call("PUT", f"{WEBHOOKS}/{webhook['id']}", json=webhook | {"secret": "its-own"})
        # What was read and put back carries no secret, and the secret stays.
        caller.call("PUT", f"{WEBHOOKS}/{webhook['id']}", json=webhook)
        caller.send(a_message())
        plain.wait_until_quiet()
    signed = [delivery.headers["x-hub-signature-256"] for delivery in receiver.received]
    assert signed == [signature("its-own", delivery.body) for delivery in receiver.received]
    assert len(signed) == 2


def test_every_enabled_webhook_and_no_other_hears_of_a_change(plain: SimulatorProcess) -> None:
    with (
        Receiver() as first,
        Receiver() as second,
        Receiver() as disabled,
        telling(plain, first) as caller,
    ):
        caller.call("POST", WEBHOOKS, json=a_webhook(second.url))
        caller.call("POST", WEBHOOKS, json=a_webhook(disabled.url, enabled=False))
        caller.send(a_message())
        plain.wait_until_quiet()
    identities = [[delivery.event["id"] for delivery in one.received] for one in (first, second)]
    assert sorted(identities[0]) == sorted(identities[1])
    assert len(identities[0]) == 2
    assert disabled.received == []


def test_a_duplicate_carries_the_same_event_id() -> None:
    with Receiver() as receiver, pushing(receiver, duplicate_share=1) as (simulator, caller):
        caller.send(a_message())
        simulator.wait_until_quiet()
    counts = Counter(delivery.body for delivery in receiver.received)
    assert sorted(counts.values()) == [2, 2]


def test_events_arrive_out_of_order_when_told_so() -> None:
    with Receiver() as receiver, pushing(receiver, reorder_share=1, speed=5) as pushed:
        simulator, caller = pushed
        caller.send(a_message())
        simulator.wait_until_quiet()
    assert statuses(receiver.received) == ["delivered", "sent"]
    times = {delivery.status: delivery.event["data"]["timestamp"] for delivery in receiver.received}
    assert times["sent"] <= times["delivered"]


def test_an_event_that_is_lost_never_comes_and_the_status_moves_on() -> None:
    with Receiver() as receiver, pushing(receiver, loss_share=1) as (simulator, caller):
        caller.send(a_message())
        stats = simulator.wait_until_quiet()
    assert stats["byStatus"]["delivered"] == 1
    assert receiver.received == []


@pytest.mark.parametrize("answer", [500, 503, 429, STOP_WITHOUT_ANSWER])
def test_a_delivery_that_may_yet_succeed_is_tried_again(
    plain: SimulatorProcess, answer: int
) -> None:
    with Receiver(answer, answer) as receiver, telling(plain, receiver) as caller:
        caller.send(a_message())
        stats = plain.wait_until_quiet()
    # Two events, and two answers that asked for another try.
    assert len(receiver.received) == 4
    assert len({delivery.body for delivery in receiver.received}) == 2
    assert (stats["eventsDelivered"], stats["eventsFailed"]) == (2, 0)


def test_an_answer_that_takes_too_long_is_tried_again() -> None:
    with Receiver(delay_s=60) as receiver, pushing(receiver, webhook_timeout_s=3) as pushed:
        simulator, caller = pushed
        caller.send(a_message())
        stats = simulator.wait_until_quiet()
    assert len(receiver.received) == 3
    assert stats["eventsDelivered"] == 2


def test_retry_after_is_honoured_before_the_shorter_gap(plain: SimulatorProcess) -> None:
    with Receiver(503, retry_after="1") as receiver, telling(plain, receiver) as caller:
        caller.send(a_message())
        plain.wait_until_quiet()
    first = receiver.received[0]
    again = [delivery for delivery in receiver.received[1:] if delivery.body == first.body]
    # The gap without it would be a fifth of a second.
    assert [delivery.at - first.at >= 0.99 for delivery in again] == [True]


@pytest.mark.parametrize("answer", [400, 401, 413])
def test_a_delivery_that_was_refused_is_given_up_at_once(
    plain: SimulatorProcess, answer: int
) -> None:
    with Receiver(answer) as receiver, telling(plain, receiver) as caller:
        caller.send(a_message())
        stats = plain.wait_until_quiet()
    assert len(receiver.received) == 2
    assert (stats["eventsDelivered"], stats["eventsFailed"]) == (1, 1)


def test_a_receiver_that_is_down_gets_its_events_when_it_is_up(plain: SimulatorProcess) -> None:
    with closed_port() as port:
        with Receiver(port=port) as receiver:
            pass
        with telling(plain, receiver) as caller:
            caller.send(a_message())
            wait_for(plain.stats, lambda stats: stats["eventsPending"] == 2)
            with Receiver(port=port) as receiver:
                stats = plain.wait_until_quiet()
    assert (stats["eventsDelivered"], stats["eventsFailed"]) == (2, 0)
    assert sorted(statuses(receiver.received)) == ["delivered", "sent"]


def test_after_five_more_tries_an_event_is_given_up() -> None:
    answers = [503] * 100
    options = {"webhook_retry_s": 0.02}
    with Receiver(*answers) as receiver, pushing(receiver, **options) as (simulator, caller):
        caller.send(a_message())
        stats = simulator.wait_until_quiet()
    assert (stats["eventsDelivered"], stats["eventsFailed"]) == (0, 2)
    tries = Counter(delivery.body for delivery in receiver.received)
    assert sorted(tries.values()) == [6, 6]
    times = [each.at for each in receiver.received if each.body == receiver.received[0].body]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    # Each is twice the one before; a busy machine makes it longer.
    assert [gap >= 0.02 * 2**number for number, gap in enumerate(gaps)] == [True] * 5


def test_many_events_go_out_at_once_over_connections_that_stay_open(
    plain: SimulatorProcess,
) -> None:
    with Receiver() as receiver, telling(plain, receiver) as caller:
        for number in range(300):
            caller.send(a_message_to(number))
        stats = plain.wait_until_quiet()
    assert stats["eventsDelivered"] == len(receiver.received) == 600
    assert len({delivery.event["id"] for delivery in receiver.received}) == 600
