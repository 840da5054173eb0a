"""The receiver while its ledger is away: events are kept on disk, and counted once it is back."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genesys_cloud.ledger import audit, campaigns
from genesys_cloud.ledger.database import Ledger, open_ledger
from tests.ledger.planted import CAMPAIGN
from tests.webhook.receiver import SECRET, ReceiverProcess, event_body
from tests.webhook.test_receiver import AT, accepted


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


@contextmanager
def away(folder: Path) -> Iterator[None]:
    """Take the ledger's file away for a while; what has it open does not find it any more.

    There is no moment without a file: a receiver that looked just then would make a new ledger.
    """
    (folder / "elsewhere.db").hardlink_to(folder / "ledger.db")
    (folder / "nowhere").symlink_to(folder / "no" / "ledger.db")
    (folder / "nowhere").replace(folder / "ledger.db")
    yield
    (folder / "elsewhere.db").replace(folder / "ledger.db")


def delivered(ledger: Ledger) -> int:
    return campaigns.progress(ledger, CAMPAIGN.campaign_id).statuses["delivered"]


def test_an_event_that_meets_no_ledger_is_kept_and_counted_when_it_is_back(
    tmp_path: Path, ledger: Ledger
) -> None:
    (message_id,) = accepted(ledger, "away", 1)
    with ReceiverProcess(str(ledger.engine.url)) as receiver:
        with away(tmp_path):
            kept = receiver.event("a1", message_id, "delivered", AT)
            again = receiver.event("a1", message_id, "delivered", AT)
            (file,) = receiver.spool.glob("events-*.jsonl")
            lines = file.read_text().splitlines()
            mode = stat.S_IMODE(file.stat().st_mode)
            meanwhile = receiver.state()
        receiver.wait_until("ok")
        assert list(receiver.spool.glob("events-*")) == []
        late = receiver.event("a1", message_id, "delivered", AT)
    assert (kept.status_code, kept.json()) == (200, {"result": "spooled"})
    assert again.json() == {"result": "spooled"}
    assert late.json() == {"result": "duplicate"}
    assert (len(lines), mode) == (2, 0o600)
    assert (meanwhile["status"], meanwhile["spooled_bytes"]) == ("spooling", len(lines[0]) * 2 + 2)
    assert delivered(ledger) == 1
    changes = [entry for entry in audit.read(ledger) if entry["action"] == "status.changed"]
    assert [entry["event_id"] for entry in changes] == ["a1"]


def test_a_line_of_the_spool_holds_the_event_and_nothing_else(
    tmp_path: Path, ledger: Ledger
) -> None:
    body = event_body("e1", "m1", "sent", AT)[:-1] + b', "to": "+12025550123"}'
    with ReceiverProcess(str(ledger.engine.url)) as receiver, away(tmp_path):
        receiver.post(body)
        (file,) = receiver.spool.glob("events-*.jsonl")
        assert file.read_text() == (
            '{"event_id":"e1","message_id":"m1","status":"sent",'
            '"occurred_at":"2024-01-15T10:30:45+00:00"}\n'
        )


def test_what_a_killed_receiver_spooled_is_counted_by_the_next_one(
    tmp_path: Path, ledger: Ledger
) -> None:
    ids = accepted(ledger, "killed", 3)
    spool = tmp_path / "spool"
    with (
        ReceiverProcess(str(ledger.engine.url), spool=spool) as doomed,
        away(tmp_path),
    ):
        for message_id in ids:
            assert doomed.event(message_id, message_id, "delivered", AT).ok
        doomed.kill()
        (file,) = spool.glob("events-*.jsonl")
        with file.open("ab") as torn:
            torn.write(b'{"event_id":"tor')
    with ReceiverProcess(str(ledger.engine.url), spool=spool) as receiver:
        receiver.wait_until("ok")
    assert delivered(ledger) == 3
    assert list(spool.iterdir()) == []


def test_a_receiver_starts_while_the_ledger_is_away(tmp_path: Path, ledger: Ledger) -> None:
    (message_id,) = accepted(ledger, "start", 1)
    spool = tmp_path / "spool"
    with away(tmp_path), ReceiverProcess(str(ledger.engine.url), spool=spool) as receiver:
        assert receiver.event("s1", message_id, "delivered", AT).json() == {"result": "spooled"}
        assert "spool" in receiver.stop()
    with ReceiverProcess(str(ledger.engine.url), spool=spool) as receiver:
        receiver.wait_until("ok")
    assert delivered(ledger) == 1


def test_a_full_spool_turns_events_away_and_says_so(tmp_path: Path, ledger: Ledger) -> None:
    (message_id,) = accepted(ledger, "full", 1)
    small = {"GENESYS_WEBHOOK_SPOOL_BYTES": "150"}  # a line has about 100
    with ReceiverProcess(str(ledger.engine.url), settings=small) as receiver:
        with away(tmp_path):
            first = receiver.event("f1", message_id, "sent", AT)
            second = receiver.event("f2", message_id, "delivered", AT)
            state = receiver.state()["status"]
        receiver.wait_until("ok")
        again = receiver.event("f2", message_id, "delivered", AT)
    assert (first.status_code, second.status_code, state) == (200, 503, "full")
    assert second.headers["Retry-After"] == "5"
    assert again.json() == {"result": "applied"}


def test_a_spool_that_cant_be_written_turns_events_away(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "file").touch()
    with ReceiverProcess(str(ledger.engine.url), spool=tmp_path / "file" / "spool") as receiver:
        with away(tmp_path):
            assert receiver.event("w1", "m", "sent", AT).status_code == 503
        receiver.wait_until("ok")
        assert receiver.event("w1", "m", "sent", AT).json() == {"result": "parked"}


def test_another_receiver_leaves_the_file_of_a_living_one_alone(
    tmp_path: Path, ledger: Ledger
) -> None:
    spool, url = tmp_path / "spool", str(ledger.engine.url)
    with away(tmp_path), ReceiverProcess(url, spool=spool) as one:
        assert one.event("l1", "m", "sent", AT).json() == {"result": "spooled"}
        with ReceiverProcess(url, spool=spool) as other:
            assert other.event("l2", "m", "delivered", AT).json() == {"result": "spooled"}
            assert len(list(spool.glob("events-*.jsonl"))) == 2
            assert other.post(b"{}", secret=SECRET).status_code == 400
