from __future__ import annotations

import sqlite3
import uuid
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta, timezone
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from genesys_cloud.ledger import audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.audit_chain import FIRST_DIGEST, Head
from genesys_cloud.ledger.audit_export import Format, Selection, export
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.tables import audit_entries, audit_head
from tests.ledger.chains import (
    NOW,
    WAYS,
    Rows,
    chain_again,
    entry,
    head_of,
    strangers_verdict,
    write,
)

COUNT = 7
ANY_TEXT = st.text(st.characters(), max_size=20)  # lone surrogates and NUL among them
DETAILS = st.dictionaries(
    ANY_TEXT,
    ANY_TEXT
    | st.integers(-(2**80), 2**80)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(ANY_TEXT, max_size=3),
    max_size=5,
)
IN_DATABASES = sorted(set(WAYS) - {"swap", "put_in_twice_numbered"})
"""A table has no order but its numbers', and each of them once."""

EXAMPLES = settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def trail(ledger: Ledger) -> Ledger:
    """Return a ledger with a trail of COUNT entries."""
    audit.note(ledger, *(entry(number, details={"n": number}) for number in range(1, COUNT + 1)))
    return ledger


def overwrite(ledger: Ledger, rows: Rows) -> None:
    """Put other rows into the trail, as who can write the database may; the head stays."""
    with ledger.write() as connection:
        connection.execute(delete(audit_entries))
        if rows:
            connection.execute(insert(audit_entries), rows)


def test_an_entry_has_every_field_and_the_digest_of_the_one_before(trail: Ledger) -> None:
    first, second, *_ = audit.read(trail)
    assert list(first) == [column.name for column in audit_entries.columns]
    assert (first["seq"], first["previous_digest"]) == (1, FIRST_DIGEST)
    assert (second["seq"], second["previous_digest"]) == (2, first["digest"])
    assert first["at"] == "2026-11-23T12:00:01.000Z"
    ids = [uuid.UUID(row["audit_id"]) for row in audit.read(trail)]
    assert {one.version for one in ids} == {4}
    assert len(set(ids)) == COUNT


def test_times_are_kept_as_utc(ledger: Ledger) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    audit.note(ledger, AuditEntry(at=elsewhere, actor="test", action="a"))
    (row,) = audit.read(ledger)
    assert row["at"] == "2026-11-23T12:00:00.000Z"


@EXAMPLES
@given(actor=ANY_TEXT, event_id=ANY_TEXT, details=DETAILS)
def test_what_was_appended_is_what_is_read_and_fits(
    ledger: Ledger, actor: str, event_id: str, details: dict[str, Any]
) -> None:
    made = AuditEntry(at=NOW, actor=actor, action="a", event_id=event_id, details=details)
    audit.note(ledger, made)
    *_, row = audit.read(ledger)
    plain = all(map(is_storable, [actor, event_id, *texts(details)]))
    if plain:
        assert (row["actor"], row["event_id"], row["details"]) == (actor, event_id, details)
    verdict = audit.verify(ledger)
    assert verdict.ok, verdict.why


def texts(details: dict[str, Any]) -> list[str]:
    """Return every text in an entry's details."""
    inner = [text for value in details.values() if isinstance(value, list) for text in value]
    return [*details, *(value for value in details.values() if isinstance(value, str)), *inner]


def is_storable(text: str) -> bool:
    """Return whether a database takes a text as it is."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def test_many_messages_make_entries_of_a_thousand(ledger: Ledger) -> None:
    keys = [f"{number:064x}" for number in range(2_001)]
    audit.note(ledger, *audit.about_many(entry(1, details={"reason": "x"}), keys))
    listed = [row["details"] for row in audit.read(ledger)]
    assert [len(one["message_keys"]) for one in listed] == [1_000, 1_000, 1]
    assert [key for one in listed for key in one["message_keys"]] == keys
    assert {one["reason"] for one in listed} == {"x"}
    assert audit.about_many(entry(1), []) == []


@EXAMPLES
@given(data=st.data(), way=st.sampled_from(IN_DATABASES), place=st.integers(0, COUNT - 1))
def test_one_tampering_in_the_database_is_named_and_a_stranger_agrees(
    trail: Ledger, tmp_path: Path, data: st.DataObject, way: str, place: int
) -> None:
    honest = [dict(row) for row in trail_rows(trail)]
    changed, first_bad = WAYS[way](data.draw, [dict(row) for row in honest], place)
    assume(len({row["seq"] for row in changed}) == len(changed))  # the database sees to that
    overwrite(trail, changed)
    verdict = audit.verify(trail)
    export = write(trail_rows(trail), tmp_path / "trail.jsonl")
    restore(trail, honest)
    assert verdict.first_bad == first_bad, (way, verdict.why)
    found = strangers_verdict(export, head_of(honest))
    assert found[:2] == (1, first_bad), (way, found)


def trail_rows(ledger: Ledger) -> Rows:
    """Return the trail as it is stored."""
    return [dict(row) for row in audit.read(ledger)]


def restore(ledger: Ledger, rows: Rows) -> None:
    """Make the trail what it was."""
    overwrite(ledger, rows)
    head = head_of(rows)
    with ledger.write() as connection:
        connection.execute(update(audit_head).values(seq=head.seq, digest=head.digest))


def test_a_history_that_is_made_anew_with_its_head_shows_by_a_published_one(
    trail: Ledger, tmp_path: Path
) -> None:
    rows = trail_rows(trail)
    published = [Head(seq=row["seq"], digest=row["digest"]) for row in (rows[1], rows[4])]
    rewritten, _ = chain_again(lambda _: None, rows, 2)  # type: ignore[arg-type]
    restore(trail, rewritten)
    assert audit.verify(trail).ok  # by itself it is a trail like any other
    verdict = audit.verify(trail, published)
    assert verdict.first_bad == 5
    assert "an entry from 3 on was changed" in verdict.why


def test_a_tail_that_is_cut_off_with_the_head_shows_by_a_published_one(trail: Ledger) -> None:
    published = audit.head(trail)
    restore(trail, trail_rows(trail)[:4])
    assert audit.verify(trail).ok
    assert audit.verify(trail, [published]).first_bad == 5


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        (update(audit_head).values(seq=4), 4),
        (update(audit_head).values(seq=COUNT + 1), COUNT + 1),
        (update(audit_head).values(digest="0" * 64), COUNT),
        (delete(audit_head), COUNT + 1),
    ],
)
def test_a_head_that_somebody_moved_is_noticed(trail: Ledger, change: Any, first_bad: int) -> None:
    with trail.write() as connection:
        connection.execute(change)
    assert audit.verify(trail).first_bad == first_bad


def test_an_entry_beyond_the_head_is_noticed(trail: Ledger) -> None:
    before = audit.head(trail)
    audit.note(trail, entry(8))
    with trail.write() as connection:
        connection.execute(update(audit_head).values(seq=before.seq, digest=before.digest))
    verdict = audit.verify(trail)
    assert (verdict.first_bad, verdict.entries) == (COUNT + 1, COUNT + 1)


@pytest.mark.parametrize("column", ["details", "actor"])
@pytest.mark.parametrize("broken", [b"{\xff", b"{", b"NaN", b"\x00", b"\xed\xa0\x80"])
def test_a_bit_that_flipped_in_the_file_is_named(
    tmp_path: Path, column: str, broken: bytes
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    audit.note(ledger, entry(1), entry(2, details={"reason": "x"}), entry(3))
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        change = f"UPDATE audit_entries SET {column} = CAST(? AS TEXT) WHERE seq = 2"  # noqa: S608
        database.execute(change, (broken,))
        database.commit()
    assert audit.verify(ledger).first_bad == 2
    with (tmp_path / "trail.jsonl").open("wb") as stream:
        export(ledger, Selection(), stream, Format.JSONL, actor="test", now=NOW)
    assert strangers_verdict(tmp_path / "trail.jsonl")[:2] == (1, 2)
    ledger.close()


def _append(url: str, worker: int, times: int) -> int:
    ledger = open_ledger(url)
    for number in range(times):
        audit.note(ledger, entry(number, event_id=f"{worker}-{number}"), entry(number))
    ledger.close()
    return times


def _verify(url: str, times: int) -> list[bool]:
    ledger = open_ledger(url)
    found = [audit.verify(ledger).ok for _ in range(times)]
    ledger.close()
    return found


def test_many_processes_append_to_one_chain_and_it_verifies_meanwhile(ledger_url: str) -> None:
    open_ledger(ledger_url).close()
    with ProcessPoolExecutor(5, mp_context=get_context("spawn")) as pool:
        verdicts = pool.submit(_verify, ledger_url, 25)
        appended = [pool.submit(_append, ledger_url, worker, 40) for worker in range(4)]
        assert [one.result() for one in appended] == [40] * 4
        assert verdicts.result() == [True] * 25
    ledger = open_ledger(ledger_url)
    verdict = audit.verify(ledger)
    assert (verdict.ok, verdict.entries) == (True, 4 * 40 * 2)
    events = [row["event_id"] for row in audit.read(ledger) if row["event_id"]]
    assert len(set(events)) == len(events) == 4 * 40
    for worker in range(4):  # each process's entries are in its own order
        own = [event for event in events if event.startswith(f"{worker}-")]
        assert own == [f"{worker}-{number}" for number in range(40)]
    ledger.close()


def test_an_append_that_is_rolled_back_leaves_the_chain_as_it_was(trail: Ledger) -> None:
    before = audit.head(trail)

    def fail() -> None:
        with trail.write() as connection:
            audit.append(connection, [entry(9)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert audit.head(trail) == before
    audit.note(trail, entry(9))
    assert audit.verify(trail).entries == COUNT + 1


def test_no_entry_is_no_transaction_of_its_own(ledger: Ledger) -> None:
    audit.note(ledger)
    assert audit.head(ledger) == Head(seq=0, digest=FIRST_DIGEST)
    assert audit.verify(ledger).ok


def test_a_naive_time_is_refused(ledger: Ledger) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is tested
    with pytest.raises(ValueError, match="aware"):
        audit.note(ledger, AuditEntry(at=naive, actor="test", action="a"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("call of +1 202 555 0123", "call of …23"),
        ("2025550123 asked", "…23 asked"),
        ("wrong price from 2026-11-23 on, 1,234,567 rows", None),
    ],
)
def test_numbers_in_a_typed_reason_are_masked(ledger: Ledger, typed: str, kept: str | None) -> None:
    entry = AuditEntry(at=NOW, actor="cli:ann", action="campaign.paused", details={"reason": typed})
    audit.note(ledger, entry)
    (found,) = audit.read(ledger)
    assert found["details"]["reason"] == (kept or typed)
