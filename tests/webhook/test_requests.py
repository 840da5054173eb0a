"""Requests in every form that a server can hand on, to the app itself."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.webhook import counting, intake, standard_webhooks
from genesys_cloud.webhook.receiver import Receiver
from genesys_cloud.webhook.signature import sign
from tests.simulator.server import wait_for
from tests.webhook.asgi import Answered, call, config
from tests.webhook.odd_bodies import bodies
from tests.webhook.receiver import SECRET, event_body

AT = "2024-01-15T10:30:45.000Z"
EVENT = event_body("e1", "m1", "sent", AT)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(lambda: config(tmp_path))
    yield receiver
    receiver.close()


def ask(app: Receiver, **request: Any) -> Answered:
    answer = asyncio.run(call(app, **request))
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    "kind",
    [
        "application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"',
        "application/cloudevents+json", "application/cloudevents-batch+json; charset=utf8", "",
        "application/json; profile=x",
    ],
)  # fmt: skip
def test_json_is_taken_by_any_of_its_names_and_by_none(app: Receiver, kind: str) -> None:
    assert ask(app, body=EVENT, headers={"Content-Type": kind} if kind else {}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"}, {"Content-Type": "json"},
        {"Content-Type": "text/x+json"}, {"Content-Encoding": "gzip"}, {"Content-Type": "ü/²"},
    ],
)  # fmt: skip
def test_another_type_or_a_compressed_body_is_415(
    app: Receiver, headers: Mapping[str, str]
) -> None:
    assert ask(app, body=EVENT, headers=headers).status == 415


@pytest.mark.parametrize("length", ["262145", "9" * 400, "²", "-1", "1.5", "x", ""])
def test_a_length_that_is_none_or_too_much_is_413_before_anything_is_read(
    app: Receiver, length: str
) -> None:
    assert ask(app, body=EVENT, headers={"Content-Length": length}).status == 413


def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(app: Receiver) -> None:
    assert ask(app, parts=[b" " * 16_384] * 40).status == 413
    assert ask(app, parts=[b" " * 16_384] * 16).status == 400
    assert ask(app, parts=[bytes([byte]) for byte in EVENT]).status == 200


def test_a_sender_that_hangs_up_gets_no_answer_and_leaves_nothing_behind(app: Receiver) -> None:
    assert asyncio.run(call(app, parts=[EVENT[:10]], hangs_up=True)) is None
    assert app._intake.in_hand == 0
    assert ask(app, body=EVENT).json == {"result": "parked"}


def test_who_sends_too_slowly_may_come_back(app: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "READ_TIMEOUT_S", 0.01)

    async def scenario() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(30)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/genesys-messaging", "headers": []}
        await app(scope, receive, send)
        return sent

    start, _ = asyncio.run(scenario())
    assert start["status"] == 503
    assert (b"retry-after", b"5") in start["headers"]


def test_more_bytes_than_may_be_in_hand_are_turned_away(app: Receiver) -> None:
    app._intake = intake.Intake(most_bytes=len(EVENT) + 10)

    async def scenario() -> tuple[Answered | None, Answered | None]:
        large = asyncio.create_task(call(app, body=b" " * (len(EVENT) + 11)))
        return await large, await call(app, body=EVENT)

    turned_away, taken = asyncio.run(scenario())
    assert turned_away is not None
    assert taken is not None
    assert (turned_away.status, turned_away.headers["retry-after"]) == (503, "5")
    assert taken.status == 200
    assert app._intake.in_hand == 0


def test_a_batch_is_counted_and_its_answer_counts_what_each_did(app: Receiver) -> None:
    one = json.loads(EVENT)
    two = json.loads(event_body("e2", "m1", "teleported", AT))
    answer = ask(app, body=json.dumps([one, two, one, {"id": 7}, one]).encode())
    assert answer.status == 200
    assert answer.json == {
        "results": {"duplicate": 2, "parked": 1, "unknown_status": 1},
        "refused": 1,
        "reasons": [
            {
                "index": 3,
                "error": "not a status event: data.messageId or data.status is missing or no id",
            }
        ],
    }


def test_a_batch_of_thousands_is_counted_whole(app: Receiver) -> None:
    members = [json.loads(event_body(f"b{n}", f"m{n}", "sent", AT)) for n in range(1_500)]
    answer = ask(app, body=json.dumps(members).encode())
    assert answer.json == {"results": {"parked": 1_500}}


def test_the_answer_to_a_batch_of_rubbish_stays_short(app: Receiver) -> None:
    members = [json.loads(EVENT), *[1] * 50_000]
    answer = ask(app, body=json.dumps(members).encode())
    assert answer.json["results"] == {"parked": 1}
    assert (answer.json["refused"], len(answer.json["reasons"])) == (50_000, 10)
    assert ask(app, body=json.dumps([1] * 50_000).encode()).status == 400
    assert ask(app, body=b"[]").status == 400


def test_standard_webhooks_are_understood(app: Receiver) -> None:
    fresh = standard_webhooks.sign(EVENT, SECRET, message_id="w1", timestamp=int(time.time()))
    old = standard_webhooks.sign(EVENT, SECRET, message_id="w1", timestamp=int(time.time()) - 900)
    assert ask(app, body=EVENT, headers=fresh, signed=False).status == 200
    assert ask(app, body=EVENT, headers=old, signed=False).status == 401


def test_without_a_secret_and_by_name_anybody_may_send(tmp_path: Path) -> None:
    given = replace(config(tmp_path), secrets=(), allow_unsigned=True)
    app = Receiver(lambda: given)
    assert ask(app, body=EVENT, signed=False).status == 200
    app.close()


def test_with_a_secret_nobody_may_whatever_is_allowed_by_name(tmp_path: Path) -> None:
    app = Receiver(lambda: config(tmp_path, allow_unsigned_events=True))
    assert ask(app, body=EVENT, signed=False).status == 401


def test_other_paths_and_methods_are_named(app: Receiver) -> None:
    assert ask(app, path="/").status == 404
    assert ask(app, path="/genesys-messaging/").status == 404
    refused = ask(app, method="GET")
    assert (refused.status, refused.headers["allow"]) == (405, "POST")
    refused = ask(app, method="POST", path="/health")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_a_signature_of_odd_bytes_is_401(app: Receiver) -> None:
    assert ask(app, body=EVENT, headers={"X-Hub-Signature-256": "sha256=ÿþ²"}).status == 401
    assert ask(app, body=EVENT, headers={"X-Hub-Signature-256": sign(EVENT, "x")}).status == 401


@pytest.fixture
def app_on(ledger_url: str, tmp_path: Path) -> Iterator[Receiver]:
    """Return an app on either kind of ledger."""
    given = replace(config(tmp_path), ledger_url=ledger_url)
    receiver = Receiver(lambda: given)
    yield receiver
    receiver.close()


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies)
def test_any_signed_body_is_counted_or_refused_and_never_a_failure_of_ours(
    app_on: Receiver, body: bytes
) -> None:
    answer = ask(app_on, body=body)
    assert answer.status in {200, 400}
    assert ask(app_on, body=body).status == answer.status


def test_a_ledger_that_gives_no_lock_in_time_is_away(
    app_on: Receiver, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "PATIENCE_S", 1)
    first = event_body("l1", "m1", "sent", AT)
    assert ask(app_on, body=first).json == {"result": "parked"}
    other = open_ledger(ledger_url)
    with other.write() as connection:
        audit.lock(connection)
        second = event_body("l2", "m1", "delivered", AT)
        assert ask(app_on, body=second).json == {"result": "spooled"}
        assert state(app_on) == "spooling"
    wait_for(lambda: state(app_on), lambda status: status == "ok")
    assert ask(app_on, body=second).json == {"result": "duplicate"}
    other.close()


def state(app: Receiver) -> Any:
    return ask(app, method="GET", path="/health").json["status"]


def test_a_poisoned_event_fails_alone_and_its_content_is_not_logged(
    app: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON status_events "
            "WHEN NEW.status = 'poison' BEGIN SELECT RAISE(ABORT, 'poisoned'); END"
        )
    database.close()

    async def all_together() -> list[Answered | None]:
        bodies = [
            event_body(f"p{number}", f"m{number}", "poison" if number == 13 else "sent", AT)
            for number in range(40)
        ]
        return await asyncio.gather(*(call(app, body=body) for body in bodies))

    statuses = [answer.status for answer in asyncio.run(all_together()) if answer]
    assert [number for number, status in enumerate(statuses) if status != 200] == [13]
    assert statuses[13] == 500
    assert "event p13 can't be counted: IntegrityError" in caplog.text
    assert "poisoned" not in caplog.text
    # And it may come again without harm to anybody.
    assert [answer.status for answer in asyncio.run(all_together()) if answer] == statuses
