"""A day's partition: built early or not at all, provable, and the same when run again."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from upath import UPath

from genesys_cloud.errors import CampaignDefinitionError, ExportTargetError, IncompleteExportError
from genesys_cloud.outbound.deliveries import LedgerFact
from genesys_cloud.reporting.partitions import build_partition
from genesys_cloud.reporting.reconciliation import LedgerSide
from tests.reporting.samples import (
    END,
    START,
    delivery,
    facts_of,
    no_facts,
    pages,
    realistic_day,
)

FILES = {
    *("deliveries.parquet", "deliveries.csv", "deliveries.jsonl"),
    *("metrics.json", "manifest.json", "report.html"),
}


def build(root, deliveries, facts=no_facts, **options):
    return build_partition(pages(deliveries), facts, root, START, END, **options)


def contents(root):
    place = root / "deliveries" / "date=2024-01-15"
    return {path.name: path.read_bytes() for path in place.iterdir()}


@pytest.fixture(scope="module")
def day():
    messages, facts = realistic_day(400)
    return messages, facts_of(facts)


def test_partition_has_the_published_files(tmp_path, day):
    build(tmp_path, *day)
    assert set(contents(tmp_path)) == FILES


def test_object_store_gets_the_same_bytes(tmp_path, day):
    store = UPath(f"memory://{tmp_path.name}")
    build(store, *day)
    build(tmp_path, *day)
    assert contents(store) == contents(tmp_path)


def test_running_again_gives_the_same_bytes(tmp_path, day):
    states = {"accepted": 400, "blocked": 12}
    build(tmp_path, *day, states=states)
    first = contents(tmp_path)
    build(tmp_path, *day, states=states)
    assert contents(tmp_path) == first


def test_manifest_returned_is_the_one_written(tmp_path, day):
    manifest = build(tmp_path, *day)
    assert manifest.to_json().encode() == contents(tmp_path)["manifest.json"]


def test_manifest_counts(tmp_path):
    listed = [delivery("a"), delivery("a"), delivery("b"), delivery("c", created_at=END)]
    counted = pages(listed, size=2, total=3)
    manifest = build_partition(counted, no_facts, tmp_path, START, END)
    assert manifest.as_dict() == {
        "day": "2024-01-15",
        "intervalStart": "2024-01-15T00:00:00.000Z",
        "intervalEnd": "2024-01-16T00:00:00.000Z",
        "dayEnded": True,
        "apiTotal": 3,
        "totalIsApproximate": False,
        "rows": 2,
        "pages": 2,
        "passes": 1,
        "duplicatesDropped": 1,
        "outsideInterval": 1,
        "notInLedger": 2,
        "testMessages": 0,
        "complete": True,
        "watermark": "2024-01-15T09:00:00.000Z",
        "contentDigest": manifest.content_digest,
        "revision": 1,
        "changes": None,
        "reconciliation": {
            "inApiNotInLedger": 2,
            "inLedgerNotInApi": None,
            "statusDiffers": 0,
            "movedForward": 0,
        },
        "notSent": {},
    }


def test_without_a_total_completeness_is_unknown(tmp_path):
    manifest = build_partition(pages([], total=None), no_facts, tmp_path, START, END)
    assert manifest.complete is None
    assert manifest.watermark == END


def test_revision_grows_when_the_content_changes_and_only_then(tmp_path):
    revisions = [
        build(tmp_path, [delivery(status=status)]).revision
        for status in ("sent", "sent", "delivered", "delivered", "read")
    ]
    assert revisions == [1, 1, 2, 2, 3]


def test_day_that_has_not_ended_is_never_called_complete(tmp_path):
    for total in (1, None):
        listed = pages([delivery()], total=total)
        manifest = build_partition(
            listed, no_facts, tmp_path, START, END, day_ended=False
        ).as_dict()
        assert (manifest["dayEnded"], manifest["complete"]) == (False, False)


def test_another_revision_says_what_changed_and_goes_on_saying_it(tmp_path):
    build(tmp_path, [delivery("a", status="sent"), delivery("b"), delivery("gone")])
    later = [delivery("a"), delivery("b", error_code="late"), delivery("new"), delivery("more")]
    first, again = build(tmp_path, later), build(tmp_path, later)
    assert first.changes == {
        "sinceRevision": 1,
        "rowsAdded": 2,
        "rowsRemoved": 1,
        "rowsChanged": 2,
        "statuses": {"sent->delivered": 1},
    }
    assert again.to_json() == first.to_json()
    assert (first.is_new, again.is_new) == (True, False)


def test_another_revision_in_an_object_store_says_what_changed(tmp_path):
    store = UPath(f"memory://{tmp_path.name}-changes")
    build(store, [delivery("a", status="sent")])
    assert build(store, [delivery("a")]).changes["statuses"] == {"sent->delivered": 1}


def ledger_side(**changes):
    values = {"learn": lambda listed: 0, "accepted": lambda: 0, "not_sent": dict, **changes}
    return LedgerSide(**values)


def test_ledger_and_list_are_held_against_each_other(tmp_path):
    noon = START + timedelta(hours=12)
    fact = LedgerFact(
        campaign_id="c",
        language=None,
        template=None,
        template_version=None,
        status="delivered",
        attempted_at=noon,
        accepted_at=noon,
    )
    # Known are m1 and m2, m2 with a status of its own; nobody knows m3; two more were accepted.
    known = facts_of({"m1": fact, "m2": dataclasses.replace(fact, status="read")})
    side = ledger_side(accepted=lambda: 4, not_sent=lambda: {"c": {"blocked": {"consent": 3}}})
    manifest = build(tmp_path, [delivery("m1"), delivery("m2"), delivery("m3")], known, ledger=side)
    assert manifest.reconciliation.as_dict() == {
        "inApiNotInLedger": 1,
        "inLedgerNotInApi": 2,
        "statusDiffers": 1,
        "movedForward": 0,
    }
    assert manifest.as_dict()["notSent"] == {"c": {"blocked": {"consent": 3}}}


def test_what_the_ledger_learnt_is_counted_once_however_often_the_day_is_built(tmp_path):
    facts = {
        "m1": LedgerFact(
            campaign_id="c", language=None, template=None, template_version=None, status="sent"
        )
    }

    def learn(listed):
        for one in listed:
            facts[one.message_id] = dataclasses.replace(facts[one.message_id], status=one.status)
        return len(listed)

    built = [
        build(
            tmp_path,
            [delivery("m1")],
            facts_of(facts),
            ledger=ledger_side(learn=learn),
        )
        for _ in range(3)
    ]
    assert [each.reconciliation.moved_forward for each in built] == [1, 1, 1]
    assert [each.reconciliation.status_differs for each in built] == [0, 0, 0]
    assert len({each.to_json() for each in built}) == 1


def test_incomplete_export_keeps_the_old_partition(tmp_path):
    build(tmp_path, [delivery()])
    before = contents(tmp_path)
    with pytest.raises(IncompleteExportError):
        build_partition(pages([delivery()], total=2), no_facts, tmp_path, START, END)
    assert contents(tmp_path) == before


def test_failure_between_pages_keeps_the_old_partition(tmp_path):
    build(tmp_path, [delivery()])
    before = contents(tmp_path)

    def breaking():
        yield pages([delivery("a"), delivery("b")], size=1)[0]
        raise ConnectionError("reset")

    with pytest.raises(ConnectionError):
        build_partition(breaking(), no_facts, tmp_path, START, END)
    assert contents(tmp_path) == before
    assert [path.name for path in (tmp_path / "deliveries").iterdir()] == ["date=2024-01-15"]


def test_no_page_is_fetched_where_the_target_can_not_be_written(tmp_path):
    (tmp_path / "file").write_text("")

    def fetched():
        raise AssertionError("a page was fetched")
        yield

    with pytest.raises(ExportTargetError):
        build_partition(fetched(), no_facts, tmp_path / "file", START, END)


def test_part_of_a_day_is_that_days_partition(tmp_path):
    end = START + timedelta(hours=12)
    manifest = build_partition(pages([delivery()]), no_facts, tmp_path, START, end)
    assert manifest.as_dict()["intervalEnd"] == "2024-01-15T12:00:00.000Z"
    assert (manifest.day_ended, manifest.complete) == (False, False)
    assert set(contents(tmp_path)) == FILES


def test_times_in_another_zone_name_the_utc_day(tmp_path):
    zone = timezone(timedelta(hours=-8))
    manifest = build_partition(
        pages([delivery()]), no_facts, tmp_path, START.astimezone(zone), END.astimezone(zone)
    )
    assert manifest.day.isoformat() == "2024-01-15"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, START),
        (END, START),
        (START, END + timedelta(seconds=1)),
        (START + timedelta(hours=12), END + timedelta(hours=12)),
        (START.replace(tzinfo=None), END.replace(tzinfo=None)),
    ],
)
def test_interval_that_is_not_within_one_day_is_refused(tmp_path, start, end):
    with pytest.raises(CampaignDefinitionError, match="interval"):
        build_partition(pages([]), no_facts, tmp_path, start, end)


def test_no_file_holds_an_address(tmp_path):
    secret = "+15550109999"
    build(tmp_path, [delivery(recipient=secret, message_key="key-of-the-message")])
    for content in contents(tmp_path).values():
        assert secret.encode() not in content
        assert b"key-of-the-message" not in content


def test_csv_and_metrics_agree(tmp_path, day):
    build(tmp_path, *day)
    files = contents(tmp_path)
    figures = json.loads(files["metrics.json"])
    lines = files["deliveries.csv"].decode().splitlines()[1:]
    statuses = [line.split(",")[2] for line in lines]
    assert figures["delivered"] == statuses.count("delivered") + statuses.count("read")
    assert figures["failed"] == statuses.count("failed")
    assert figures["accepted"] == len(lines)


def test_manifest_is_frozen(tmp_path):
    manifest = build(tmp_path, [delivery()])
    with pytest.raises(dataclasses.FrozenInstanceError):
        manifest.rows = 2
    assert manifest.interval_start == datetime(2024, 1, 15, tzinfo=UTC)
