"""What the receiver tells of events that can't be counted: each thing once, when it is settled."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.outbound.stats import Metric
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook.config import ConfigSource, ReceiverConfig
from genesys_cloud.webhook.counting import SPOOLED, Condition, Counting
from genesys_cloud.webhook.receiver import Receiver
from tests.simulator.server import PATIENCE_S, wait_for
from tests.told import Told
from tests.webhook.asgi import call, config
from tests.webhook.receiver import event_body
from tests.webhook.test_receiver import AT, accepted
from tests.webhook.test_spooling import away

INSTANT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def refusing(ledger: Ledger, condition: str = "1") -> None:
    """Let the database refuse the events of which a condition is true."""
    with ledger.write() as connection:
        connection.execute(
            text(
                f"CREATE TRIGGER refusing BEFORE INSERT ON status_events WHEN {condition} "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )


def delivered(event_id: str, message_id: str) -> StatusEvent:
    return StatusEvent(
        event_id=event_id, message_id=message_id, status="delivered", occurred_at=INSTANT
    )


def test_an_event_that_was_not_kept_was_not_received(tmp_path: Path, ledger: Ledger) -> None:
    first, second = accepted(ledger, "one", 2)
    refusing(ledger, "NEW.event_id = 'bad'")
    told = Told()
    counting = Counting(ConfigSource(lambda: config(tmp_path)), stats=told)
    counting.count([delivered("good", first), delivered("bad", second)])
    counting.close()
    assert told.sums() == {
        Metric.EVENTS_RECEIVED: 1,
        Metric.EVENTS_APPLIED: 1,
        Metric.EVENTS_FAILED: 1,
    }


def test_events_of_the_spool_that_are_tried_again_are_told_once(
    tmp_path: Path, ledger: Ledger
) -> None:
    first, second = accepted(ledger, "two", 2)
    refusing(ledger)
    told, looked, go_on = Told(), queue.Queue[float](), threading.Semaphore(0)

    def sleep(seconds: float) -> None:
        looked.put(seconds)
        go_on.acquire()

    counting = Counting(ConfigSource(lambda: config(tmp_path)), stats=told, sleep=sleep)
    with away(tmp_path):
        kept = counting.count([delivered("e1", first), delivered("e2", second)])
        looked.get(timeout=PATIENCE_S)
    for _ in range(2):
        go_on.release()
        looked.get(timeout=PATIENCE_S)  # the ledger is back, and takes none
    with ledger.write() as connection:
        connection.execute(text("DROP TRIGGER refusing"))
    go_on.release()
    wait_for(lambda: counting.condition, lambda condition: condition is Condition.OK)
    counting.close()

    assert kept == [SPOOLED, SPOOLED]
    assert told.sums() == {
        Metric.EVENTS_RECEIVED: 2,
        Metric.SPOOL_KEPT: 2,
        Metric.EVENTS_APPLIED: 2,
        Metric.SPOOL_REPLAYED: 2,
    }


def test_an_event_that_nobody_can_take_now_is_told_as_turned_away() -> None:
    def configure() -> ReceiverConfig:
        raise ConnectionSettingsError("The connection can't be read.")

    told = Told()
    answer = asyncio.run(call(Receiver(configure, told), body=event_body("e1", "m", "sent", AT)))
    assert answer is not None
    assert answer.status == 503
    assert told.calls == [(Metric.EVENTS_REFUSED, 1, {"status": "503"})]
