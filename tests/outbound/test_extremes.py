"""What is kept of a contact list: its worst values, in memory that rows do not fill."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping

from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound.audience import Row, read_csv
from genesys_cloud.outbound.channels import text_length
from genesys_cloud.outbound.extremes import CELLS_LIMIT, OTHER_TAGS, Extremes
from genesys_cloud.outbound.segments import UCS_2, count
from genesys_cloud.outbound.violations import Violation


def rows(*values: Mapping[str, str]) -> Iterator[Row]:
    return (Row(number=number, values=each) for number, each in enumerate(values, start=1))


def watched(found: Iterable[Row], *names: str) -> Extremes:
    extremes = Extremes(frozenset(names))
    for _ in extremes.watch(found):
        pass
    return extremes


def named(*names: str) -> Extremes:
    return watched(rows(*({"name": name} for name in names)), "name")


def test_the_rows_pass_as_they_are() -> None:
    given_rows = list(rows({"name": "Ana"}, {"name": ""}))
    assert list(Extremes(frozenset({"name"})).watch(given_rows)) == given_rows


def test_the_worst_values_of_a_column_are_kept() -> None:
    column = named(" \u200b", "Zoë", "Ana", "Maximilian", "Þór", "Élodie 👩", "B", "").columns[
        "name"
    ]
    assert (column.plain, column.longest, column.dearest) == ("Ana", "Maximilian", "Élodie 👩")
    assert (column.blank, column.forcing) == (2, 3)


def test_only_the_template_s_columns_are_looked_at_and_the_header_is_kept() -> None:
    found = watched(rows({"address": "+1", "name": "Ana", "pet": "Rex"}), "name", "date")
    assert set(found.columns) == {"name"}
    assert found.header == ("address", "name", "pet")
    assert found.examples == [{"name": "Ana"}]


def test_a_date_of_each_month_is_kept_with_two_digits_where_there_is_one() -> None:
    days = ("2027-01-02", "2027-01-12", "2027-01-09", "2027-09-30", "2027-99-30", "ab-cd-ef")
    found = watched(rows(*({"day": day} for day in days)), "day").columns["day"]
    assert found.dates == {"01": "2027-01-12", "09": "2027-09-30"}


def test_rows_that_can_t_be_read_do_not_count() -> None:
    bad = Row(number=1, values={}, problem=Violation(code="row_not_text", message="x"))
    found = watched([bad, *rows({"name": "Ana"})], "name")
    assert (found.rows, found.header) == (1, ("name",))


def test_languages_are_counted_by_their_usual_spelling() -> None:
    cells = ("es", "es_mx", "es-MX", "", " ", "Spanish!", "pt")
    tags, unreadable = watched(rows(*({"language": cell} for cell in cells))).languages()
    assert tags == {"es": 1, "es-MX": 2, "pt": 1}
    assert unreadable == 1


def test_hostile_cells_fill_no_memory() -> None:
    line = "+1,{0}{1},{0}{1}\n"
    text = "address,language,name\n" + "".join(
        line.format(number, "x" * 400) for number in range(5_000)
    )
    stream = io.BytesIO(text.encode())
    tracemalloc.start()
    found = watched(read_csv(stream), "name")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000 < len(text)
    assert found.rows == 5_000
    _, unreadable = found.languages()
    assert unreadable == CELLS_LIMIT
    assert found.languages()[0] == {OTHER_TAGS: 5_000 - CELLS_LIMIT}


@given(st.lists(st.text(max_size=6), max_size=12))
def test_the_kept_values_are_the_worst_of_all(names: list[str]) -> None:
    column = named(*names).columns.get("name")
    shown = [name.strip() for name in names if name.strip().strip("\u200b\u200c\u200d\u2060\ufeff")]
    if column is None:
        assert not names
        return
    forcing = [name for name in shown if count(name).encoding == UCS_2.name]
    assert text_length(column.longest) == max(map(text_length, shown), default=0)
    assert text_length(column.dearest) == max(map(text_length, forcing), default=0)
    assert column.forcing == len(forcing)
    assert column.plain == next((name for name in shown if name not in forcing), "")
    assert column.blank == len(names) - len(shown)
