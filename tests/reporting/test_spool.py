"""A spool gives each message back once and in order, in whatever chunks its listings came."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.outbound.status import Status
from genesys_cloud.reporting import row_files, sorted_runs, spool
from genesys_cloud.reporting.export import export_day
from genesys_cloud.reporting.frames import to_batch
from genesys_cloud.reporting.spool import Spool
from tests.reporting.samples import END, START, delivery, no_facts, pages

WORDS = [*(status.word for status in Status), "undeliverable"]

LISTINGS = st.lists(
    st.builds(
        lambda number, word, second: delivery(
            f"m{number}",
            status=word,
            created_at=None if second is None else START + timedelta(seconds=second),
        ),
        st.integers(0, 12),
        st.sampled_from(WORDS),
        st.none() | st.integers(0, 4),
    ),
    max_size=60,
)


@pytest.fixture(autouse=True)
def many_runs(monkeypatch):
    """Let a handful of rows make many runs, blocks and groups, as a million do."""
    monkeypatch.setattr(spool, "CHUNK_ROWS", 7)
    monkeypatch.setattr(sorted_runs, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(row_files, "GROUP_ROWS", 5)


def expected(listings):
    """Work out in plain Python what is left of the listings, and in which order."""
    best = {}
    for place, one in enumerate(listings):
        rank = WORDS.index(one.status) if one.status != "undeliverable" else -1
        if one.message_id not in best or (rank, place) > best[one.message_id][0]:
            best[one.message_id] = ((rank, place), one)
    late = END + timedelta(days=1)
    kept = [one for _, one in best.values()]
    return sorted(kept, key=lambda one: (one.created_at or late, one.message_id))


def spooled(directory, listings, size):
    found = Spool(directory)
    for start in range(0, len(listings), size):
        found.add(to_batch(listings[start : start + size], {}))
    return found


@settings(max_examples=60, deadline=None)
@given(listings=LISTINGS, size=st.integers(1, 9))
def test_each_message_comes_once_and_in_order(tmp_path_factory, listings, size):
    found = spooled(tmp_path_factory.mktemp("spool"), listings, size)
    wanted = expected(listings)
    assert found.listed == len(listings)
    assert found.unique() == len(wanted)
    blocks = list(found.rows())
    rows = [row for block in blocks for row in block.to_pylist()]
    assert [(row["messageId"], row["status"], row["createdDate"]) for row in rows] == [
        (one.message_id, one.status, one.created_at) for one in wanted
    ]


def test_more_listings_may_come_after_the_count(tmp_path):
    found = spooled(tmp_path, [delivery("a"), delivery("b")], 2)
    assert found.unique() == 2
    found.add(to_batch([delivery("b"), delivery("c")], {}))
    assert found.unique() == 3
    assert sum(block.num_rows for block in found.rows()) == 3


@settings(max_examples=25, deadline=None)
@given(data=st.data(), listings=LISTINGS, size=st.integers(1, 9))
def test_pages_in_any_order_and_of_any_size_give_the_same_bytes(
    tmp_path_factory, data, listings, size
):
    # Of one message the same listing each time: of different ones, the order decides on purpose.
    listings = list({one.message_id: one for one in listings}.values())
    twice = data.draw(st.permutations([*listings, *listings[: len(listings) // 2]]))
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    for directory, order, length in ((first, listings, 100), (second, twice, size)):
        listed = pages(order, size=length, total=len(listings))
        export_day(listed, no_facts, directory, START, END)
    assert contents(first) == contents(second)


def contents(directory: Path):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_row_groups_have_one_size_wherever_blocks_end():
    rows = pa.table({"n": list(range(23))})
    for sizes in ([23], [1] * 23, [4, 9, 10], [12, 0, 11]):
        starts = [sum(sizes[:place]) for place in range(len(sizes))]
        blocks = [rows.slice(start, size) for start, size in zip(starts, sizes, strict=True)]
        groups = list(row_files.row_groups(blocks))
        assert [group.num_rows for group in groups] == [5, 5, 5, 5, 3]
        assert pa.concat_tables(groups).combine_chunks() == rows
