"""Ranges of days: nothing skipped in silence, and the same figures as one frame would have."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from upath import UPath

from genesys_cloud.errors import CampaignDefinitionError, ExportTargetError
from genesys_cloud.reporting import ranges, tally_files
from genesys_cloud.reporting.frames import to_frame
from genesys_cloud.reporting.metrics import day_metrics, figures
from genesys_cloud.reporting.range_reports import in_words, over_range, range_json
from genesys_cloud.reporting.ranges import read_range
from tests.reporting.month import FIRST, a_ledger, put_day, put_month
from tests.reporting.samples import delivery
from tests.reporting.test_reports import HOSTILE, Page


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def place(root: Path, number: int) -> Path:
    return root / "deliveries" / f"date={day(number)}"


def words(html: str) -> str:
    return " ".join(" ".join(Page(html).text).split())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six days; the third has no partition, the fifth no message."""
    exports = tmp_path_factory.mktemp("month")
    put_month(exports, 6, without=[2], empty=4)
    return exports


def test_a_range_has_the_figures_of_all_its_rows_in_one_frame(root: Path) -> None:
    files = [str(place(root, n) / "deliveries.parquet") for n in (0, 1, 3, 4, 5)]
    frame = to_frame(pq.read_table(files))
    assert figures(read_range(root, day(0), day(5)).tallies) == day_metrics(frame)


def test_a_day_read_in_parts_has_the_figures_of_the_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = figures(read_range(root, day(0), day(5)).tallies)
    monkeypatch.setattr(tally_files, "ROWS_AT_ONCE", 97)
    assert figures(read_range(root, day(0), day(5)).tallies) == whole


def test_the_last_day_is_included(root: Path) -> None:
    found = read_range(root, day(0), day(0))
    assert figures(found.tallies) == json.loads((place(root, 0) / "metrics.json").read_text())


def test_missing_days_are_named_everywhere(root: Path) -> None:
    found = read_range(root, day(0), day(5))
    assert found.missing == (day(2),)
    assert "Incomplete: 1 of 6 days missing" in in_words(found)
    assert f"No partition: {day(2)}" in in_words(found)
    text = words(over_range(found))
    assert (
        f"1 of 6 days has no partition , so its messages are in no figure below: {day(2)}" in text
    )
    assert text.count("no partition: not in any figure") == 3  # rates, outcomes, latencies
    assert range_json(found)["missingDays"] == [str(day(2))]
    assert range_json(found)["days"][str(day(2))]["state"] == "no partition"


def test_a_day_without_messages_is_not_a_missing_one(root: Path) -> None:
    text = words(over_range(read_range(root, day(4), day(4))))
    assert "There are no messages." in text
    assert "Complete: 0 rows" in text


def test_recipients_who_got_no_message_are_in_the_funnel(root: Path) -> None:
    text = words(over_range(read_range(root, day(0), day(1))))
    assert "Not accepted: blocked 22" in text  # (9 + 2) * 2
    assert "blocked consent_not_verified 18" in text
    assert "Not accepted: unknown 2" in text


def test_the_same_partitions_give_the_same_bytes(root: Path) -> None:
    once, again = (over_range(read_range(root, day(0), day(5))) for _ in range(2))
    assert once == again


def test_the_page_of_a_range_is_whole_and_loads_nothing(root: Path) -> None:
    html = over_range(read_range(root, day(0), day(5)))
    page = Page(html)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "://" not in html
    assert len(page.named("svg")) == 10
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img", "iframe"})


def test_hostile_names_are_shown_and_nothing_more(tmp_path: Path) -> None:
    rows = [
        delivery(f"m{n}", campaign_id=name, channel=name, status=state, error_code=name)
        for n, name in enumerate(HOSTILE)
        for state in [("failed", "delivered")[n % 2]]
    ]
    put_day(tmp_path, 0, rows)
    page = Page(over_range(read_range(tmp_path, day(0), day(0))))
    assert page.open == []
    assert not {tag for tag, _ in page.elements} & {"script", "img"}
    assert "{{ 7 * 7 }}" in "".join(page.text)


def test_many_days_are_drawn_by_weekday(tmp_path: Path) -> None:
    put_day(tmp_path, 0, [delivery("a"), delivery("b")])  # a Monday
    put_day(tmp_path, 35, [delivery("c")])  # five weeks on, a Monday too
    page = Page(over_range(read_range(tmp_path, day(0), day(35))))
    cells = "".join(page.text).split("UTC hour\n")[0]
    assert "Monday 09 h 3" in cells
    assert "34 of 36 days have no partition" in "".join(page.text)


def test_an_early_manifest_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    put_day(tmp_path, 0, [delivery()])
    change_manifest(place(tmp_path, 0), keep={"day", "rows", "revision", "notInLedger"})
    found = read_range(tmp_path, day(0), day(0))
    assert found.days[0].in_api_not_in_ledger == 1
    assert "Completeness unknown" in words(over_range(found))


def change_manifest(folder: Path, *, keep: set[str] | None = None, **changes: Any) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    kept = {name: value for name, value in manifest.items() if keep is None or name in keep}
    path.write_text(json.dumps({**kept, **changes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dayEnded": False}, "Incomplete: the day had not ended"),
        ({"apiTotal": 5}, "Incomplete: messages are missing"),
        ({"apiTotal": None, "complete": None}, "Completeness unknown"),
    ],
)
def test_what_is_not_complete_is_said(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    put_day(tmp_path, 0, [delivery()])
    change_manifest(place(tmp_path, 0), **changes)
    assert said in in_words(read_range(tmp_path, day(0), day(0)))


def test_a_day_with_an_approximate_total_is_complete(tmp_path: Path) -> None:
    put_day(tmp_path, 0, [delivery()])
    change_manifest(place(tmp_path, 0), apiTotal=5, totalIsApproximate=True)
    found = read_range(tmp_path, day(0), day(0))
    assert (found.days[0].missing, found.days[0].api_total) == (0, 5)
    assert "Complete: 1 row" in in_words(found)


def test_reconciliation_counts_are_added_up(tmp_path: Path) -> None:
    for number in (0, 1):
        put_day(tmp_path, number, [delivery()], ledger=a_ledger(3))
    # The ledger accepted 3 messages a day; the one that is listed is none of them.
    text = words(over_range(read_range(tmp_path, day(0), day(1))))
    assert "Listed by Genesys, not in the ledger 2 Accepted in the ledger, not listed 6" in text


def test_a_range_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CampaignDefinitionError, match="ends before it begins"):
        read_range(tmp_path, day(1), day(0))


def test_a_range_without_any_partition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CampaignDefinitionError, match="No day from 2024-01-15 to 2024-01-17 has"):
        read_range(tmp_path, day(0), day(2))


def test_rows_that_the_manifest_does_not_count_are_refused(tmp_path: Path) -> None:
    put_day(tmp_path, 0, [delivery()])
    change_manifest(place(tmp_path, 0), rows=2)
    with pytest.raises(ExportTargetError, match="holds 1 rows and its manifest counts 2"):
        read_range(tmp_path, day(0), day(0))


@pytest.mark.parametrize("content", [b"", b"not Parquet at all"])
def test_a_partition_that_can_not_be_read_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    put_day(tmp_path, 0, [delivery()])
    (place(tmp_path, 0) / "deliveries.parquet").write_bytes(content)
    with pytest.raises(ExportTargetError, match=r"2024-01-15 below .* can't be read"):
        read_range(tmp_path, day(0), day(0))


def test_a_partition_without_its_rows_is_a_sentence(tmp_path: Path) -> None:
    put_day(tmp_path, 0, [delivery()])
    (place(tmp_path, 0) / "deliveries.parquet").unlink()
    with pytest.raises(ExportTargetError, match=r"deliveries\.parquet is not there"):
        read_range(tmp_path, day(0), day(0))


def test_a_partition_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_day(tmp_path, 0, [delivery("a")])
    tallied, replaced = ranges.tally_file, []

    def in_the_middle(*arguments: Any) -> Any:
        counts = tallied(*arguments)
        if not replaced:
            replaced.append(put_day(tmp_path, 0, [delivery("a"), delivery("b")]))
        return counts

    monkeypatch.setattr(ranges, "tally_file", in_the_middle)
    assert figures(read_range(tmp_path, day(0), day(0)).tallies)["accepted"] == 2


def test_an_object_store_is_read_as_well(root: Path, tmp_path: Path) -> None:
    stored = UPath(f"memory://{tmp_path.name}")
    target = stored / "deliveries" / f"date={day(0)}"
    target.mkdir(parents=True, exist_ok=True)
    for path in place(root, 0).iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    found = read_range(stored, day(0), day(0))
    assert figures(found.tallies) == figures(read_range(root, day(0), day(0)).tallies)


def test_the_data_dictionary_names_what_json_has(root: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    section = text.split("## What `genesys-cloud report --json` prints")[1].split("\n## ")[0]
    found = range_json(read_range(root, day(0), day(5)))
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(found)
    assert all(f"`{one['state']}`" in section for one in found["days"].values())
