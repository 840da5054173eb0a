"""The data dictionary describes exactly what is in the files, in their order."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from genesys_cloud.reporting.changes import Changes
from genesys_cloud.reporting.partitions import build_partition
from tests.reporting.samples import END, START, facts_of, pages, realistic_day

DICTIONARY = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


@pytest.fixture(scope="module")
def partition(tmp_path_factory):
    messages, facts = realistic_day(200)
    root = tmp_path_factory.mktemp("exports")
    build_partition(pages(messages), facts_of(facts), root, START, END)
    return root / "deliveries" / "date=2024-01-15"


def described(heading):
    """Return the first cells of the table under a heading."""
    text = DICTIONARY.read_text(encoding="utf-8")
    section = text.split(f"## {heading}")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_columns_of_both_files(partition):
    columns = described("Columns of")
    assert columns == pq.read_schema(partition / "deliveries.parquet").names
    with (partition / "deliveries.csv").open(newline="") as file:
        assert columns == next(csv.reader(file))


def test_columns_that_are_never_null(partition):
    schema = pq.read_schema(partition / "deliveries.parquet")
    text = DICTIONARY.read_text(encoding="utf-8")
    never = re.findall(r"^\| `(\w+)` \| [^|]*never null", text, re.MULTILINE)
    assert never == [field.name for field in schema if not field.nullable]


def test_figures(partition):
    figures = json.loads((partition / "metrics.json").read_text())
    assert described("Figures of") == list(figures)
    text = DICTIONARY.read_text(encoding="utf-8")
    for name in (*figures["latency"], *figures["funnel"]):
        assert f"`{name}`" in text


def test_groups_have_the_figures_up_to_delivery_latency(partition):
    figures = json.loads((partition / "metrics.json").read_text())
    names = list(figures)
    first = names[: names.index("deliveryLatency") + 1]
    for breakdown in ("byDay", "byHour", "byChannel", "byCampaign", "byLanguage"):
        assert all(list(group) == first for group in figures[breakdown].values())


def test_fields_of_the_manifest(partition):
    manifest = json.loads((partition / "manifest.json").read_text())
    assert described("Fields of") == list(manifest)


def test_parts_of_the_reconciliation(partition):
    manifest = json.loads((partition / "manifest.json").read_text())
    assert described("Parts of") == list(manifest["reconciliation"])
    text = DICTIONARY.read_text(encoding="utf-8")
    for name in Changes(since=1).as_dict():
        assert f"`{name}`" in text


def test_columns_of_the_json_lines(partition):
    with (partition / "deliveries.jsonl").open() as file:
        assert described("Columns of") == list(json.loads(file.readline()))
