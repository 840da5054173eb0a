from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook import spool as spooling
from genesys_cloud.webhook.spool import SET_ASIDE, Spool, SpoolFullError
from genesys_cloud.webhook.spool_file import decode, encode

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINE = len(encode([StatusEvent(event_id="e000", message_id="m", status="sent", occurred_at=AT)]))


def events(count: int, start: int = 0) -> list[StatusEvent]:
    return [
        StatusEvent(
            event_id=f"e{number:03d}",
            message_id="m",
            status="sent",
            occurred_at=AT + timedelta(seconds=number),
        )
        for number in range(start, start + count)
    ]


class Ledger:
    """Counts what is replayed; fails at the batches that it is told to."""

    def __init__(self, *fails: int) -> None:
        self.seen: list[str] = []
        self._turn, self._fails = 0, fails

    def count(self, batch: Sequence[StatusEvent]) -> Sequence[object]:
        self._turn += 1
        if self._turn in self._fails:
            raise LedgerUnavailableError("away")
        self.seen += [event.event_id for event in batch]
        return ["applied"] * len(batch)


def names(count: int) -> list[str]:
    return [f"e{number:03d}" for number in range(count)]


def test_everything_is_replayed_in_its_order_and_the_file_goes(tmp_path: Path) -> None:
    spool, ledger = Spool(tmp_path / "spool", 10**6), Ledger()
    for start in range(0, 500, 100):
        spool.append(events(100, start))
    spool.replay(ledger.count)
    assert ledger.seen == names(500)
    assert not spool.waiting
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_replay_that_is_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    spool, ledger = Spool(tmp_path, 10**6), Ledger(2)
    spool.append(events(500))
    with pytest.raises(LedgerUnavailableError):
        spool.replay(ledger.count)
    assert ledger.seen == names(200)
    assert spool.size == 500 * LINE  # a file goes only as a whole
    spool.append(events(10, 500))
    spool.replay(ledger.count)
    assert ledger.seen == names(510)


def test_what_is_spooled_during_a_replay_is_replayed_too(tmp_path: Path) -> None:
    spool, ledger = Spool(tmp_path, 10**6), Ledger()
    more = [events(3, 3)]

    def count(batch: Sequence[StatusEvent]) -> Sequence[object]:
        if more:
            spool.append(more.pop())
        return ledger.count(batch)

    spool.append(events(3))
    spool.replay(count)
    assert ledger.seen == names(6)


def test_the_next_process_takes_over_what_is_left_oldest_first(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, 10**6), Spool(tmp_path, 10**6)
    first.append(events(2))
    second.append(events(2, 2))
    heir, ledger = Spool(tmp_path, 10**6), Ledger()
    heir.adopt()
    assert not heir.waiting  # both owners live
    _die(first), _die(second)
    heir.append(events(2, 4))
    heir.adopt()
    heir.adopt()
    heir.replay(ledger.count)
    assert ledger.seen == names(6)
    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_tore_off_is_no_event(tmp_path: Path) -> None:
    spool, ledger = Spool(tmp_path, 10**6), Ledger()
    spool.append(events(2))
    (file,) = tmp_path.iterdir()
    with file.open("ab") as torn:
        torn.write(encode(events(1, 2))[:-5])
    _die(spool)
    heir = Spool(tmp_path, 10**6)
    heir.adopt()
    heir.replay(ledger.count)
    assert ledger.seen == names(2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "bad",
    [b"{", b"[]", b"7", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"event_id":1}',
     encode(events(1)).strip().replace(b"+00:00", b""),
     encode(events(1)).strip().replace(b"e000", b"e\\u0000")],
    ids=range(9),
)  # fmt: skip
def test_a_bad_line_is_set_aside_and_blocks_nothing(tmp_path: Path, bad: bytes) -> None:
    lines = encode(events(2)).splitlines()
    (tmp_path / "events-1.jsonl").write_bytes(b"\n".join([lines[0], bad, lines[1], b""]))
    spool, ledger = Spool(tmp_path, 10**6), Ledger()
    spool.adopt()
    spool.replay(ledger.count)
    assert ledger.seen == names(2)
    assert (tmp_path / SET_ASIDE).read_bytes() == bad + b"\n"
    assert [path.name for path in tmp_path.iterdir()] == [SET_ASIDE]


def test_a_line_that_was_erased_is_passed_over(tmp_path: Path) -> None:
    spool, ledger = Spool(tmp_path, 10**6), Ledger()
    spool.append(events(3))
    (file,) = tmp_path.iterdir()
    lines = file.read_bytes().splitlines()
    with file.open("r+b") as open_file:
        open_file.seek(LINE)
        open_file.write(b" " * len(lines[1]))
    spool.replay(ledger.count)
    assert ledger.seen == ["e000", "e002"]
    assert list(tmp_path.iterdir()) == []


def test_an_event_that_cant_be_counted_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10**6)
    spool.append(events(3))
    spool.replay(lambda batch: ["applied", RuntimeError("poison"), "applied"])
    assert (tmp_path / SET_ASIDE).read_bytes() == encode(events(1, 1))
    assert not spool.waiting


def test_where_no_event_can_be_counted_none_is_set_aside(tmp_path: Path) -> None:
    spool, ledger = Spool(tmp_path, 10**6), Ledger()
    spool.append(events(3))
    with pytest.raises(RuntimeError, match="the table is missing"):
        spool.replay(lambda batch: [RuntimeError("the table is missing")] * len(batch))
    assert not (tmp_path / SET_ASIDE).exists()
    spool.replay(ledger.count)
    assert ledger.seen == names(3)


def test_the_cap_holds_for_all_files_of_the_folder(tmp_path: Path) -> None:
    one, other = (Spool(tmp_path, 5 * LINE) for _ in range(2))
    one.append(events(3))
    with pytest.raises(SpoolFullError, match="GENESYS_WEBHOOK_SPOOL_BYTES"):
        other.append(events(3))
    other.append(events(2))
    with pytest.raises(SpoolFullError):
        one.append(events(1))
    other.replay(Ledger().count)
    one.append(events(1))


def test_a_write_that_fails_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, ledger = Spool(tmp_path, 10**6), Ledger()
    spool.append(events(1))
    write = os.write

    def short(descriptor: int, data: bytes) -> int:
        write(descriptor, data[:7])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", short)
        with pytest.raises(SpoolFullError, match="No space left"):
            spool.append(events(1, 1))
    spool.append(events(1, 1))
    spool.replay(ledger.count)
    assert ledger.seen == names(2)


def test_a_half_line_that_cant_be_taken_back_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, ledger = Spool(tmp_path, 10**6), Ledger()
    spool.append(events(1))

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        patched.setattr(os, "ftruncate", broken)
        with pytest.raises(SpoolFullError):
            spool.append(events(1, 1))
    spool.append(events(1, 2))
    spool.replay(ledger.count)
    # The second was refused with a 503; that it counts all the same does no harm.
    assert ledger.seen == names(3)


@given(
    *[st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=200)] * 3,
    st.datetimes(timezones=st.just(UTC)),
)
def test_an_event_comes_back_from_its_line_as_it_was(
    event_id: str, message_id: str, status: str, at: datetime
) -> None:
    event = StatusEvent(event_id=event_id, message_id=message_id, status=status, occurred_at=at)
    line = encode([event])
    assert line.count(b"\n") == 1
    if all(word.isprintable() for word in (event_id, message_id, status)):
        assert decode(line.strip()) == event


def test_batches_are_small_enough_to_leave_room_for_others() -> None:
    assert spooling.BATCH <= 200


def _die(spool: Spool) -> None:
    """Give up a spool's locks, as the end of its process does."""
    for file in (spool._own, *spool._adopted):
        if file is not None:
            file.close()
