"""An export counts every message once, knows what is missing, and is the same in any order."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import random
import weakref
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from genesys_cloud.errors import IncompleteExportError
from genesys_cloud.outbound.deliveries import DeliveryPage
from genesys_cloud.reporting.export import export_day
from genesys_cloud.reporting.listing import AT_ONCE
from tests.reporting.samples import (
    END,
    START,
    delivery,
    facts_of,
    no_facts,
    pages,
    realistic_day,
)


def run(directory, listed, facts=no_facts):
    return export_day(listed, facts, directory, START, END)


def ids(directory):
    return pq.read_table(directory / "deliveries.parquet")["messageId"].to_pylist()


def test_rows_are_in_every_file_and_nothing_else_is_left(tmp_path):
    export = run(tmp_path, pages([delivery(f"m{n}") for n in range(250)]))
    assert (export.rows, export.pages, export.api_total) == (250, 3, 250)
    with (tmp_path / "deliveries.csv").open(newline="") as file:
        assert [row["messageId"] for row in csv.DictReader(file)] == ids(tmp_path)
    with (tmp_path / "deliveries.jsonl").open() as file:
        assert [json.loads(line)["messageId"] for line in file] == ids(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "deliveries.csv",
        "deliveries.jsonl",
        "deliveries.parquet",
    }


def test_digest_is_that_of_the_csv(tmp_path):
    export = run(tmp_path, pages([delivery()]))
    content = (tmp_path / "deliveries.csv").read_bytes()
    assert export.content_digest == hashlib.sha256(content).hexdigest()


def test_rows_are_ordered_by_creation_then_id(tmp_path):
    later = {"created_at": START + timedelta(hours=10)}
    listed = [delivery("b", **later), delivery("z"), delivery("a", **later), delivery("y")]
    run(tmp_path, pages([*listed, delivery("n", created_at=None)]))
    assert ids(tmp_path) == ["y", "z", "a", "b", "n"]


def test_pages_in_any_order_give_the_same_bytes(tmp_path):
    messages, facts = realistic_day(500)
    shuffled = random.Random(1).sample(messages, len(messages))
    digests = set()
    for place, (order, size) in enumerate([(messages, 100), (shuffled, 37)]):
        directory = tmp_path / str(place)
        directory.mkdir()
        run(directory, pages(order, size=size), facts_of(facts))
        digests.add(tuple(path.read_bytes() for path in sorted(directory.iterdir())))
    assert len(digests) == 1


def test_facts_are_asked_for_many_at_a_time_and_not_for_all(tmp_path):
    asked = []
    run(
        tmp_path,
        pages([delivery(f"m{n}") for n in range(AT_ONCE + 500)]),
        lambda ids: asked.append(len(ids)) or {},
    )
    assert asked == [AT_ONCE, 500]


def test_duplicates_are_dropped_and_counted(tmp_path):
    listed = [delivery("m1"), delivery("m2"), delivery("m1"), delivery("m1")]
    export = run(tmp_path, pages(listed, size=2, total=2))
    assert (export.rows, export.duplicates_dropped) == (2, 2)


@pytest.mark.parametrize("order", [("sent", "read"), ("read", "sent")])
def test_of_duplicates_the_status_furthest_on_is_kept(tmp_path, order):
    run(tmp_path, pages([delivery("m1", status=word) for word in order], total=1))
    table = pq.read_table(tmp_path / "deliveries.parquet")
    assert table["status"].to_pylist() == ["read"]


def test_of_equal_duplicates_the_latest_listed_is_kept(tmp_path):
    listed = [delivery("m1", error_code="old"), delivery("m1", error_code="new")]
    run(tmp_path, pages(listed, size=1, total=1))
    table = pq.read_table(tmp_path / "deliveries.parquet")
    assert table["errorCode"].to_pylist() == ["new"]


def test_status_that_we_do_not_know_is_kept_as_it_is(tmp_path):
    run(tmp_path, pages([delivery(status="undeliverable")]))
    assert pq.read_table(tmp_path / "deliveries.parquet")["status"].to_pylist() == ["undeliverable"]


def test_messages_of_the_neighbouring_days_are_left_out_and_counted(tmp_path):
    listed = [
        delivery("before", created_at=START - timedelta(milliseconds=1)),
        delivery("first", created_at=START),
        delivery("last", created_at=END - timedelta(milliseconds=1)),
        delivery("after", created_at=END),
    ]
    export = run(tmp_path, pages(listed))
    assert ids(tmp_path) == ["first", "last"]
    assert export.counted.outside_interval == 2


def test_fewer_messages_than_the_api_counts_is_an_error_that_says_how_many(tmp_path):
    with pytest.raises(
        IncompleteExportError,
        match=r"2024-01-15 has 3 of 5 messages after 2 passes .* 2 are missing",
    ):
        run(tmp_path, pages([delivery(f"m{n}") for n in range(3)], total=5))


def test_short_list_is_read_once_more_and_both_passes_count(tmp_path):
    # Each pass misses another message, as where a page shifts between two requests.
    passes = [["a", "b", "c"], ["b", "c", "d"]]

    class Shifting:
        def __iter__(self):
            return iter(pages([delivery(name) for name in passes.pop(0)], size=2, total=4))

    export = run(tmp_path, Shifting())
    assert ids(tmp_path) == ["a", "b", "c", "d"]
    assert (export.passes, export.pages, export.duplicates_dropped) == (2, 4, 2)


class Passes:
    """A list that holds other messages each time it is read, of which it counts about `total`."""

    def __init__(self, *passes, total, approximate=True):
        self.passes, self.total, self.approximate = list(passes), total, approximate

    def __iter__(self):
        for page in pages([delivery(name) for name in self.passes.pop(0)], total=self.total):
            yield dataclasses.replace(page, approximate=self.approximate)


def test_an_approximate_total_gives_way_to_a_second_pass_that_finds_nothing_new(tmp_path):
    export = run(tmp_path, Passes("abc", "ab", total=5))
    assert ids(tmp_path) == ["a", "b", "c"]
    assert (export.api_total, export.total_is_approximate, export.passes) == (5, True, 2)


def test_an_approximate_total_that_is_reached_needs_no_second_pass(tmp_path):
    export = run(tmp_path, Passes("abc", total=2))
    assert (export.rows, export.total_is_approximate, export.passes) == (3, True, 1)


def test_a_second_pass_that_finds_more_and_still_too_little_is_an_error(tmp_path):
    with pytest.raises(IncompleteExportError, match="4 of 5 messages after 2 passes"):
        run(tmp_path, Passes("abc", "abd", total=5))


def test_an_exact_total_gives_way_to_nothing(tmp_path):
    with pytest.raises(IncompleteExportError, match="3 of 5 messages after 2 passes"):
        run(tmp_path, Passes("abc", "abc", total=5, approximate=False))


def test_one_pass_never_stands_for_an_approximate_total(tmp_path):
    with pytest.raises(IncompleteExportError, match="after one pass"):
        run(tmp_path, iter(Passes("abc", total=5)))


def test_list_that_can_not_be_read_again_is_judged_as_it_is(tmp_path):
    with pytest.raises(IncompleteExportError, match="after one pass over the list, 1 are missing"):
        run(tmp_path, iter(pages([delivery()], total=2)))


def test_whole_list_is_read_once(tmp_path):
    assert run(tmp_path, pages([delivery()])).passes == 1


def test_list_that_grows_while_it_is_read_has_more_than_its_total(tmp_path):
    export = run(tmp_path, pages([delivery(f"m{n}") for n in range(5)], total=3))
    assert (export.rows, export.api_total) == (5, 3)


def test_duplicates_do_not_stand_in_for_missing_messages(tmp_path):
    with pytest.raises(IncompleteExportError, match="1 of 3 messages"):
        run(tmp_path, pages([delivery("m1")] * 3))


def test_total_of_the_last_page_counts(tmp_path):
    grown = pages([delivery(f"m{n}") for n in range(4)], size=2)
    grown[0] = dataclasses.replace(grown[0], total=2)
    assert run(tmp_path, grown).api_total == 4


def test_list_that_breaks_off_is_an_error(tmp_path):
    listed = [DeliveryPage(number=7, total=None, deliveries=[delivery()], has_more=True)]
    with pytest.raises(IncompleteExportError, match="stopped at page 7"):
        run(tmp_path, listed)


def test_list_without_a_total_is_exported(tmp_path):
    assert run(tmp_path, pages([delivery()], total=None)).api_total is None


@pytest.mark.parametrize("listed", [[], pages([])])
def test_empty_day_has_empty_files(tmp_path, listed):
    export = run(tmp_path, listed)
    assert (export.rows, export.counted.not_in_ledger, export.counted.watermark) == (0, 0, None)
    assert ids(tmp_path) == []


def test_messages_that_the_ledger_lacks_are_counted(tmp_path):
    messages, facts = realistic_day(10)
    del facts[messages[0].message_id]
    assert run(tmp_path, pages(messages), facts_of(facts)).counted.not_in_ledger == 1


def test_watermark_is_the_latest_creation(tmp_path):
    export = run(tmp_path, pages([delivery("a"), delivery("b", created_at=START)]))
    assert export.counted.watermark == delivery().created_at


def test_pages_are_let_go_of_once_they_are_read(tmp_path):
    alive = []

    def observed():
        for page in pages([delivery(f"m{n}") for n in range(30_000)]):
            message = delivery(page.deliveries[0].message_id)
            alive.append(weakref.ref(message))
            yield dataclasses.replace(page, deliveries=[message, *page.deliveries[1:]])
            del message
            # Those that are joined together, and some that still have a name.
            assert sum(each() is not None for each in alive) <= 3 * AT_ONCE / 100

    assert run(tmp_path, observed()).rows == 30_000
