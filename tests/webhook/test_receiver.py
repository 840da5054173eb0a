from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.ledger import audit, campaigns, sends
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.outcomes import Outcome, record
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.settings import Settings
from genesys_cloud.webhook.__main__ import run
from tests.ledger.planted import CAMPAIGN, NOW, only_shard, plant
from tests.simulator.server import PATIENCE_S
from tests.webhook.receiver import ReceiverProcess, event_body

AT = "2024-01-15T10:30:45.000Z"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def receiver(ledger: Ledger) -> Iterator[ReceiverProcess]:
    with ReceiverProcess(str(ledger.engine.url)) as process:
        yield process


@pytest.fixture
def message_ids(ledger: Ledger, request: pytest.FixtureRequest) -> list[str]:
    """Five accepted messages of a campaign occurrence of this test's own."""
    return accepted(ledger, request.node.name[:60], 5)


def accepted(ledger: Ledger, occurrence: str, count: int) -> list[str]:
    shard = only_shard(ledger, plant(ledger, count, occurrence=occurrence))
    lease = timedelta(seconds=90)
    limits = [Limit(name="account", most=1_000_000)]
    batch = sends.claim(ledger, shard, limits, most=count, now=NOW, lease=lease)
    sends.begin_attempt(ledger, batch, now=NOW, lease=lease)
    outcomes = [
        Outcome(claim=one, state=State.ACCEPTED, message_id=f"msg_{one.id}", status="queued")
        for one in batch.claims
    ]
    record(ledger, outcomes, now=NOW)
    return [f"msg_{one.id}" for one in batch.claims]


def status_entries(ledger: Ledger, message_id: str) -> list[tuple[str | None, str | None]]:
    return [
        (entry["previous_status"], entry["new_status"])
        for entry in audit.read(ledger)
        if entry["api_message_id"] == message_id and entry["action"] == "status.changed"
    ]


def test_the_tutorials_event_as_it_stands(receiver: ReceiverProcess, ledger: Ledger) -> None:
    body = b"""{
      "id": "evt_98765",
      "type": "messaging:messages:updated",
      "data": {
        "messageId": "msg_abc123xyz",
        "status": "delivered",
        "timestamp": "2024-01-15T10:30:45.000Z"
      }
    }"""
    first, second = receiver.post(body), receiver.post(body)
    # The message is not in this ledger, so the event waits for it.
    assert (first.status_code, first.json()) == (200, {"result": "parked"})
    assert (second.status_code, second.json()) == (200, {"result": "duplicate"})


def test_a_status_moves_forward_only_and_leaves_the_six_audit_fields(
    receiver: ReceiverProcess, ledger: Ledger, message_ids: list[str]
) -> None:
    message_id = message_ids[0]
    results = [
        receiver.event(f"f{n}-{message_id}", message_id, status, AT).json()["result"]
        for n, status in enumerate(["sent", "delivered", "sent", "queued", "read"])
    ]
    assert results == ["applied", "applied", "stale", "stale", "applied"]
    assert status_entries(ledger, message_id) == [
        ("queued", "sent"), ("sent", "delivered"), ("delivered", "read"),
    ]  # fmt: skip
    (last,) = [e for e in audit.read(ledger) if e["event_id"] == f"f4-{message_id}"]
    assert last["at"] == AT
    assert last["audit_id"]


def test_failed_after_delivered_moves_and_is_flagged(
    receiver: ReceiverProcess, ledger: Ledger, message_ids: list[str]
) -> None:
    message_id = message_ids[0]
    receiver.event(f"c1-{message_id}", message_id, "delivered", AT)
    receiver.event(f"c2-{message_id}", message_id, "failed", AT)
    (entry,) = [e for e in audit.read(ledger) if e["event_id"] == f"c2-{message_id}"]
    assert entry["details"] == {"contradiction": True}


def test_every_order_of_a_life_ends_at_the_same_status(
    receiver: ReceiverProcess, ledger: Ledger
) -> None:
    words = ["queued", "sent", "delivered", "read", "failed"]
    orders = list(itertools.permutations(words))
    ids = accepted(ledger, "permutations", len(orders))
    bodies = [
        event_body(f"p-{message_id}-{word}", message_id, word, AT)
        for message_id, order in zip(ids, orders, strict=True)
        for word in order
    ]
    tripled = [body for body in bodies for _ in range(3)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(receiver.post, tripled))
    results = [answer.json()["result"] for answer in answers]
    assert results.count("duplicate") == 2 * len(bodies)
    for message_id in ids:
        steps = status_entries(ledger, message_id)
        assert steps[-1][1] == "failed"
        assert [new for _, new in steps] == sorted([new for _, new in steps], key=words.index)
    assert audit.verify(ledger).ok


def test_an_event_without_an_id_is_known_by_message_status_and_time(
    receiver: ReceiverProcess, message_ids: list[str]
) -> None:
    message_id = message_ids[0]
    results = [
        receiver.event(None, message_id, "sent", at).json()["result"]
        for at in (AT, AT, "2024-01-15T10:30:46.000Z")
    ]
    assert results == ["applied", "duplicate", "stale"]


def test_an_unknown_status_is_kept_and_answers_200(
    receiver: ReceiverProcess, message_ids: list[str]
) -> None:
    answer = receiver.event(f"u-{message_ids[0]}", message_ids[0], "teleported", AT)
    assert (answer.status_code, answer.json()) == (200, {"result": "unknown_status"})


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=AAAA", "nonsense"])
def test_an_unsigned_body_is_401_and_is_not_even_parsed(
    receiver: ReceiverProcess, signature: str
) -> None:
    assert receiver.post(b"not json", signature=signature).status_code == 401


def test_a_body_signed_with_another_secret_is_401(receiver: ReceiverProcess) -> None:
    assert receiver.post(event_body("x", "m", "sent", AT), secret="another").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"text"', b"{}", b'{"data": 1}', b'{"data": {}}',
        b'{"data": {"messageId": 7, "status": "sent", "timestamp": "2024-01-15T10:30:45Z"}}',
        b'{"data": {"messageId": "m", "status": "sent", "timestamp": "yesterday"}}',
        b'{"data": {"messageId": "m", "status": "sent"}}',
        b'{"data": {"messageId": "m\\u0000", "status": "sent", "timestamp": "2024-01-15"}}',
        b"\xff\xfe", b"[" * 100_000,
        json.dumps({"data": {"messageId": "m" * 10_000, "status": "s", "timestamp": AT}}).encode(),
    ],
    ids=range(15),
)  # fmt: skip
def test_what_will_never_be_an_event_is_400(receiver: ReceiverProcess, body: bytes) -> None:
    answer = receiver.post(body)
    assert answer.status_code == 400, answer.text
    assert len(answer.json()["error"]) < 400


def test_a_body_over_the_limit_is_413(receiver: ReceiverProcess) -> None:
    assert receiver.post(b" " * (256 * 1024)).status_code == 400
    assert receiver.post(b" " * (256 * 1024 + 1)).status_code == 413


def test_only_post_is_served(receiver: ReceiverProcess) -> None:
    import requests

    assert requests.get(receiver.url, timeout=PATIENCE_S).status_code == 405
    assert receiver.state() == {"status": "ok", "waiting": 0, "spooled_bytes": 0}


def test_an_answered_event_survives_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = open_ledger(url)
    (message_id,) = accepted(ledger, "kill", 1)
    with ReceiverProcess(url) as doomed:
        assert doomed.event("k1", message_id, "delivered", AT).json() == {"result": "applied"}
        doomed.kill()
    with ReceiverProcess(url) as again:
        assert again.event("k1", message_id, "delivered", AT).json() == {"result": "duplicate"}
    assert campaigns.progress(ledger, CAMPAIGN.campaign_id).statuses["delivered"] == 1
    ledger.close()


def test_without_a_secret_it_refuses_to_start() -> None:
    with pytest.raises(ConnectionSettingsError, match="GENESYS_WEBHOOK_SECRET"):
        run(Settings(), host="127.0.0.1", port=0)


def test_shuffled_events_of_many_messages_all_count(
    receiver: ReceiverProcess, ledger: Ledger
) -> None:
    ids = accepted(ledger, "many", 50)
    bodies = [
        event_body(f"m-{message_id}-{word}", message_id, word, AT)
        for message_id in ids
        for word in ("sent", "delivered")
    ]
    random.Random(7).shuffle(bodies)
    with ThreadPoolExecutor(16) as pool:
        assert {answer.status_code for answer in pool.map(receiver.post, bodies)} == {200}
    ends = [status_entries(ledger, message_id)[-1][1] for message_id in ids]
    assert ends == ["delivered"] * 50
