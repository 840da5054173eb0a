"""What a revision changed, against the same worked out row by row in plain Python."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.reporting import changes
from genesys_cloud.reporting.export import export_day
from tests.reporting.samples import END, START, delivery, no_facts, pages

ROWS = st.dictionaries(
    st.integers(0, 20),
    st.tuples(st.sampled_from(["queued", "sent", "delivered"]), st.sampled_from([None, "30003"])),
    max_size=15,
)


def parquet(directory, rows):
    messages = [
        # Two messages a second, so that creation alone does not order them.
        delivery(
            f"m{number:02}",
            created_at=START + timedelta(seconds=number // 2),
            status=status,
            error_code=code,
        )
        for number, (status, code) in rows.items()
    ]
    export_day(pages(messages), no_facts, directory, START, END)
    return directory / "deliveries.parquet"


@settings(max_examples=40, deadline=None)
@given(old=ROWS, new=ROWS)
def test_rows_are_compared_by_message(tmp_path_factory, old, new):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "_ROWS_AT_ONCE", 3)
        one, other = (parquet(tmp_path_factory.mktemp("day"), rows) for rows in (old, new))
        found = changes.compare(one, other, since=4).as_dict()
    both = old.keys() & new.keys()
    moves = Counter(
        f"{old[number][0]}->{new[number][0]}" for number in both if old[number][0] != new[number][0]
    )
    assert found == {
        "sinceRevision": 4,
        "rowsAdded": len(new.keys() - old.keys()),
        "rowsRemoved": len(old.keys() - new.keys()),
        "rowsChanged": sum(old[number] != new[number] for number in both),
        "statuses": dict(moves),
    }


def test_column_that_an_older_version_lacks_is_no_change(tmp_path):
    path = parquet(tmp_path, {1: ("sent", None), 2: ("delivered", "x")})
    older = tmp_path / "older.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["acceptedDate", "segments"]), older)
    assert changes.compare(older, path, since=1).changed == 0


def test_open_files_are_compared_too(tmp_path):
    path = parquet(tmp_path, {1: ("sent", None)})
    with path.open("rb") as old:
        assert changes.compare(old, pa.BufferReader(path.read_bytes()), since=1).added == 0
