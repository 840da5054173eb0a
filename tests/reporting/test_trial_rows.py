"""Messages that were sent as tests: in the files, and in no figure but the count of them."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.outbound.deliveries import LedgerFact
from genesys_cloud.reporting import metrics
from genesys_cloud.reporting.frames import SCHEMA, to_batch, to_frame
from genesys_cloud.reporting.partitions import build_partition
from genesys_cloud.reporting.range_reports import in_words, over_range, range_json
from genesys_cloud.reporting.ranges import read_range
from genesys_cloud.reporting.tallies import add_up, tally
from tests.reporting.samples import END, START, delivery, facts_of, pages
from tests.reporting.test_ranges import words
from tests.reporting.test_tallies import rows_of_days

DAY = START.date()
FACT = LedgerFact(campaign_id="c", language="en", template="t", template_version="1", segments=2)
TESTED = dataclasses.replace(FACT, is_test=True)
ROWS = [
    delivery("m1", campaign_id="c"),
    delivery("m2", campaign_id="c", status="failed", error_code="30003"),
    delivery("t1", campaign_id="c", status="failed", error_code="30005"),
    delivery("t2", campaign_id="only-tested"),
]
FACTS = {"m1": FACT, "m2": FACT, "t1": TESTED, "t2": TESTED}


def tallied(rows, tests=()):
    facts = dict.fromkeys(tests, TESTED)
    return tally(to_frame(pa.Table.from_batches([to_batch(rows, facts)], schema=SCHEMA)))


def export(root: Path, rows=ROWS, facts=FACTS):
    return build_partition(pages(rows), facts_of(facts), root, START, END)


def files(root: Path) -> Path:
    return root / "deliveries" / f"date={DAY}"


@settings(max_examples=40, deadline=None)
@given(rows_of_days, st.sets(st.integers(0, 29)), st.integers(0, 30))
def test_every_figure_is_as_if_there_were_no_tests(rows, places, cut):
    tests = {row.message_id for place, row in enumerate(rows) if place in places}
    others = [row for row in rows if row.message_id not in tests]
    expected = metrics.figures(tallied(others)) | {"testMessages": len(tests)}
    assert metrics.figures(tallied(rows, tests)) == expected
    parts = [tallied(some, tests) for some in (rows[:cut], rows[cut:])]
    whole = add_up(parts, tallied([]))
    assert metrics.figures(whole) == expected
    assert whole.rows == len(rows)


def test_a_day_keeps_every_row_that_the_api_counts_and_figures_leave_tests_out(tmp_path):
    manifest = export(tmp_path)
    assert (manifest.rows, manifest.api_total, manifest.complete) == (4, 4, True)
    assert manifest.as_dict()["testMessages"] == 2
    with (files(tmp_path) / "deliveries.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["messageId"]: row["isTest"] for row in rows} == {
        "m1": "false", "m2": "false", "t1": "true", "t2": "true",
    }  # fmt: skip
    found = json.loads((files(tmp_path) / "metrics.json").read_text())
    assert (found["accepted"], found["delivered"], found["failed"]) == (2, 1, 1)
    assert (found["segments"], found["testMessages"]) == (4, 2)
    assert (list(found["byCampaign"]), found["failureReasons"]) == (["c"], {"30003": 1})
    text = words((files(tmp_path) / "report.html").read_text())
    assert "2 messages were sent as tests and are in no figure of this page." in text
    assert "Complete: 4 rows" in text
    assert "only-tested" not in text


def test_a_range_leaves_tests_out_and_says_how_many(tmp_path):
    export(tmp_path)
    found = read_range(tmp_path, DAY, DAY)
    told = range_json(found)
    assert (told["metrics"]["accepted"], told["metrics"]["testMessages"]) == (2, 2)
    assert told["days"][str(DAY)]["rows"] == 4
    assert "2 messages. Complete: 4 rows" in in_words(found)
    assert "Test messages, in no figure: 2" in in_words(found)
    assert "Test messages among the rows 2" in words(over_range(found))


def test_a_day_of_tests_alone_has_no_messages_to_show(tmp_path):
    export(tmp_path, ROWS[2:])
    text = words((files(tmp_path) / "report.html").read_text())
    assert "There are no messages but tests." in text


def test_nothing_is_said_of_tests_where_there_are_none(tmp_path):
    export(tmp_path, ROWS[:2])
    told = (files(tmp_path) / "report.html").read_text()
    told += in_words(read_range(tmp_path, DAY, DAY))
    assert re.findall(r"\btests?\b", told, re.IGNORECASE) == []


def test_a_partition_of_before_there_were_tests_is_read_and_replaced(tmp_path):
    rows = ROWS[:2]
    export(tmp_path, rows)
    parquet, said = files(tmp_path) / "deliveries.parquet", files(tmp_path) / "manifest.json"
    pq.write_table(pq.read_table(parquet).drop_columns(["isTest"]), parquet)
    manifest = json.loads(said.read_text())
    del manifest["testMessages"]
    said.write_text(json.dumps(manifest | {"contentDigest": "of other columns"}))

    found = read_range(tmp_path, DAY, DAY)
    assert metrics.figures(found.tallies)["accepted"] == 2
    assert metrics.figures(found.tallies)["testMessages"] == 0
    assert "Complete: 2 rows" in words(over_range(found))

    again = export(tmp_path, rows)
    assert again.revision == 2
    changes = again.changes or {}
    assert [changes[f"rows{what}"] for what in ("Added", "Removed", "Changed")] == [0, 0, 0]
