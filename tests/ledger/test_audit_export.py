from __future__ import annotations

import csv
import hashlib
import io
import json
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from genesys_cloud.ledger import audit, suppressions
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.audit_export import Format, Manifest, Selection, export
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.identity import identify
from tests.ledger.chains import NOW, Rows, entry, strangers_verdict, write
from tests.ledger.planted import CAMPAIGN, planned, plant

ADDRESS = "+12025550002"
ALL = Selection()


def taken(ledger: Ledger, selection: Selection = ALL) -> tuple[Rows, Manifest, bytes]:
    """Export JSON lines, and return the entries, the manifest and the bytes."""
    stream = io.BytesIO()
    manifest = export(ledger, selection, stream, Format.JSONL, actor="cli:ann", now=NOW)
    lines = stream.getvalue().splitlines()
    return [json.loads(line) for line in lines], manifest, stream.getvalue()


@pytest.fixture
def trail(ledger: Ledger) -> Ledger:
    """Return a ledger with entries about three people and two campaigns."""
    plant(ledger, 3)
    keys = [planned(number).message_key for number in (1, 2, 3)]
    suppression = Suppression(
        channel=CAMPAIGN.channel, address=ADDRESS, reason="opted_out", source="test"
    )
    about = AuditEntry(at=NOW, actor="test", action="send.accepted", campaign_id="camp_1")
    later = NOW + timedelta(days=1)
    audit.note(ledger, *(replace(about, message_key=key) for key in keys))
    audit.note(ledger, *audit.about_many(replace(about, action="plan.consented"), keys))
    audit.note(ledger, *audit.about_many(replace(about, action="plan.blocked"), keys[:1]))
    suppressions.add(ledger, [suppression], actor="test", now=later)
    audit.note(ledger, AuditEntry(at=later, actor="test", action="x", campaign_id="other"))
    return ledger


def test_a_whole_export_is_the_trail_and_fits(trail: Ledger, tmp_path: Path) -> None:
    before = audit.head(trail)
    rows, manifest, data = taken(trail)
    assert [row["seq"] for row in rows] == list(range(1, 8))
    assert (manifest.complete, manifest.head, manifest.entries) == (True, before, 7)
    assert (manifest.first_seq, manifest.last_seq) == (1, 7)
    assert manifest.sha256 == hashlib.sha256(data).hexdigest()
    (tmp_path / "trail.jsonl").write_bytes(data)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest.as_json()))
    files = (tmp_path / "trail.jsonl", tmp_path / "manifest.json")
    assert strangers_verdict(*files) == (0, None, "all fits\n")


def test_the_export_is_an_entry_itself(trail: Ledger) -> None:
    _, manifest, _ = taken(trail, Selection(identity=identify(ADDRESS)))
    *_, last = audit.read(trail)
    assert (last["action"], last["actor"], last["seq"]) == ("audit.exported", "cli:ann", 8)
    assert (last["details"]["sha256"], last["details"]["entries"]) == (manifest.sha256, 3)
    assert last["details"]["address_digests"] == manifest.filters["address_digests"]
    assert "2025550" not in str([dict(row) for row in audit.read(trail)])
    rows, *_ = taken(trail, Selection(identity=identify(ADDRESS)))
    assert rows[-1]["action"] == "audit.exported"  # it was about the person, too


def test_a_person_is_found_by_messages_batches_and_digest(trail: Ledger) -> None:
    rows, manifest, _ = taken(trail, Selection(identity=identify(ADDRESS)))
    assert [row["action"] for row in rows] == [
        "send.accepted", "plan.consented", "suppression.added",
    ]  # fmt: skip
    assert rows[0]["message_key"] == planned(2).message_key
    assert not manifest.complete
    assert (manifest.filters["address"], len(manifest.filters["address_digests"])) == ("…02", 1)
    assert ADDRESS not in json.dumps(manifest.as_json())


def test_of_nobody_there_is_nothing(trail: Ledger) -> None:
    rows, manifest, data = taken(trail, Selection(identity=identify("+12025559999")))
    assert (rows, data) == ([], b"")
    assert (manifest.entries, manifest.first_seq, manifest.filters["address_digests"]) == (
        0,
        None,
        [],
    )


@pytest.mark.parametrize(
    ("selection", "seqs"),
    [
        (Selection(campaign_id="camp_1"), [1, 2, 3, 4, 5]),
        (Selection(campaign_id="other"), [7]),
        (Selection(since=NOW + timedelta(hours=1)), [6, 7]),
        (Selection(before=NOW + timedelta(hours=1)), [1, 2, 3, 4, 5]),
        (Selection(since=NOW, before=NOW), []),
        (Selection(since=NOW + timedelta(days=1), before=NOW + timedelta(days=2)), [6, 7]),
        (Selection(campaign_id="other", identity=identify(ADDRESS)), []),
    ],
)
def test_filters_take_what_they_say(trail: Ledger, selection: Selection, seqs: list[int]) -> None:
    rows, manifest, _ = taken(trail, selection)
    assert [row["seq"] for row in rows] == seqs
    assert not manifest.complete


def test_a_stranger_checks_what_of_a_part_can_be_checked(trail: Ledger, tmp_path: Path) -> None:
    rows, manifest, data = taken(trail, Selection(identity=identify(ADDRESS)))
    export_file, manifest_file = tmp_path / "part.jsonl", tmp_path / "part.json"
    export_file.write_bytes(data)
    manifest_file.write_text(json.dumps(manifest.as_json()))
    assert strangers_verdict(export_file, manifest_file)[0] == 0
    assert strangers_verdict(export_file, "--part")[0] == 0
    changed: list[dict[str, Any]] = [*rows[:1], {**rows[1], "actor": "nobody"}, *rows[2:]]
    write(changed, export_file)
    assert strangers_verdict(export_file, manifest_file)[:2] == (1, rows[1]["seq"])
    write(rows[1:], export_file)  # one is missing: no digest tells, the file's own does
    assert strangers_verdict(export_file, "--part")[0] == 0
    assert strangers_verdict(export_file, manifest_file) == (1, None, "not the manifest's file\n")


def test_csv_has_every_field_and_nothing_that_a_spreadsheet_executes(ledger: Ledger) -> None:
    bad = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"]
    for text in bad:
        audit.note(ledger, AuditEntry(at=NOW, actor=text, action="a", details={"reason": text}))
    stream = io.BytesIO()
    manifest = export(ledger, ALL, stream, Format.CSV, actor="cli:ann", now=NOW)
    assert manifest.sha256 == hashlib.sha256(stream.getvalue()).hexdigest()
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().decode(), newline="")))
    assert [row["actor"] for row in rows] == [f"'{text}" for text in bad]
    assert [json.loads(row["details"])["reason"] for row in rows] == bad
    assert [row["seq"] for row in rows] == [str(number) for number in range(1, 8)]
    assert {row["campaign_id"] for row in rows} == {""}


class Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def write(self, data: Any, /) -> int:
        return len(data)


def peak(ledger: Ledger, written_as: Format) -> int:
    """Return the most memory, in bytes, that an export has in use at a time."""
    stream: BinaryIO = Nowhere()  # type: ignore[assignment]
    tracemalloc.start()
    export(ledger, ALL, stream, written_as, actor="cli:ann", now=NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("written_as", list(Format))
def test_memory_does_not_grow_with_the_trail(tmp_path: Path, written_as: Format) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    audit.note(ledger, *(entry(number) for number in range(2_000)))
    peak(ledger, written_as)  # what is made once
    small = peak(ledger, written_as)
    audit.note(ledger, *(entry(number) for number in range(8_000)))
    assert peak(ledger, written_as) < 1.5 * small
    ledger.close()
