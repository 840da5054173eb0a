from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.outbound import preview_lines
from genesys_cloud.outbound.estimated_finish import Finish
from genesys_cloud.outbound.preview import (
    Advice,
    Change,
    Difference,
    Preview,
    compare,
)
from genesys_cloud.outbound.preview_view import PreviewView
from genesys_cloud.outbound.prices import Bill, BillLine
from tests.outbound.previewed import PREVIEW

texts = st.text(max_size=8)
counts = st.integers(min_value=0, max_value=10**9)
instants = st.datetimes(timezones=st.just(UTC))
money = st.decimals(min_value=0, max_value=10**6, places=6)
lines = st.builds(
    BillLine, country=st.none() | texts, units=counts, price=st.none() | money
)  # fmt: skip
changes = st.lists(
    st.builds(Change, name=texts, before=texts | counts | st.none(), now=texts | counts), max_size=3
).map(tuple)
mappings = st.dictionaries(texts, counts, max_size=3)
previews: st.SearchStrategy[Preview] = st.builds(
    Preview,
    created_at=instants,
    opens_at=st.none() | instants,
    settings=st.dictionaries(texts, texts | counts | st.booleans() | st.none(), max_size=3),
    blocked=mappings,
    languages=mappings,
    examples=st.dictionaries(texts, st.lists(texts, max_size=2).map(tuple), max_size=2),
    bill=st.builds(Bill, lines=st.lists(lines, max_size=3).map(tuple)),
    finish=st.builds(
        Finish, starts_at=instants, at=st.none() | instants, deadline=st.none() | instants
    ),
    advice=st.lists(st.builds(Advice), max_size=2).map(tuple),
    difference=st.none()
    | st.builds(Difference, since=instants, settings=changes, counts=changes, cost=money),
)


@given(preview=previews)
def test_a_document_comes_back_as_it_was(preview: Preview) -> None:
    assert Preview.from_json(json.loads(json.dumps(preview.as_json()))) == preview


@given(before=previews, now=previews)
def test_a_run_is_no_other_than_itself_and_two_differ_both_ways(
    before: Preview, now: Preview
) -> None:
    same = compare(now, now)
    assert (same.settings, same.counts) == ((), ())
    forth, back = compare(now, before), compare(before, now)
    turned = {(change.name, change.now, change.before) for change in back.counts}
    assert {(change.name, change.before, change.now) for change in forth.counts} == turned


def test_what_would_change_is_said_in_lines() -> None:
    now = replace(
        PREVIEW,
        recipients=1_200,
        audience_digest="other",
        settings={**PREVIEW.settings, "messages_per_minute": 60},
        blocked={"suppressed": 3},
    )
    difference = compare(now, PREVIEW, new=210, gone=10)
    assert preview_lines.difference_lines(difference, now.bill) == [
        "against the run of 2026-11-23 12:00 UTC, occurrence once:",
        "new recipients: 210, gone: 10",
        "the contact list has another content",
        "messages_per_minute: none → 60",
        "recipients: 1,000 → 1,200",
        "blocked: 0 → 3",
        "blocked: suppressed: 0 → 3",
    ]
    same = compare(PREVIEW, PREVIEW)
    assert preview_lines.difference_lines(same, PREVIEW.bill)[0].endswith("nothing changed")
    assert preview_lines.difference_lines(None, PREVIEW.bill) == []


def test_a_cost_that_reads_the_same_has_not_changed() -> None:
    cents = BillLine(country="US", units=1, price=Decimal("0.0001"))
    now = replace(PREVIEW, bill=replace(PREVIEW.bill, lines=(*PREVIEW.bill.lines, cents)))
    now = replace(now, difference=compare(now, PREVIEW))
    assert preview_lines.difference_lines(now.difference, now.bill)[0].endswith("nothing changed")
    assert PreviewView.of(now, ()).changes == ()


def test_many_changes_are_cut_and_counted() -> None:
    now = replace(PREVIEW, languages={f"l{number}": 1 for number in range(20)})
    told = preview_lines.difference_lines(compare(now, PREVIEW), now.bill)
    assert len(told) == 12
    assert told[-1] == "and 11 more"  # 20 come and one goes


def bill(*some: BillLine, **values: Any) -> Bill:
    given: dict[str, Any] = {
        "provider": "sms", "unit": "segment", "currency": "EUR", "version": "2026-11-23.ab",
        "example": False,
    }  # fmt: skip
    return Bill(lines=some, **(given | values))


def test_cost_says_by_which_prices_and_what_is_not_in_it() -> None:
    priced = BillLine(country="US", units=1_300, price=Decimal("0.0079"))
    free = BillLine(country="BR", units=120, price=None)
    both = replace(PREVIEW, bill=bill(priced, free, example=True))
    assert preview_lines.cost_line(both.bill) == "about EUR 10.27 (EXAMPLE prices 2026-11-23.ab)"
    assert preview_lines.warning_lines(both) == [
        "no price for sms to BR: 120 segments not in the estimate",
        "the prices are examples: put your contract's into include/policies/prices.toml",
    ]
    assert preview_lines.cost_line(bill(free)).startswith("not estimated")
    assert preview_lines.cost_line(bill()).startswith("nothing")
    assert preview_lines.money(Decimal("0.0079"), "EUR") == "EUR 0.0079"


def test_a_deadline_before_the_finish_is_a_warning() -> None:
    finish = replace(PREVIEW.finish, deadline=datetime(2026, 11, 23, 13, tzinfo=UTC), late=1)
    assert preview_lines.warning_lines(replace(PREVIEW, finish=finish)) == [
        "1 message would still be waiting at the deadline, 2026-11-23 13:00 UTC, and expire"
    ]


def test_an_empty_list_and_people_of_an_earlier_one_are_warnings() -> None:
    (empty,) = preview_lines.warning_lines(replace(PREVIEW, recipients=0))
    assert empty.startswith("the contact list has no recipients")
    (more,) = preview_lines.warning_lines(replace(PREVIEW, left_over=2))
    assert more.startswith("2 messages of an earlier list would go out as well")


def test_a_finish_that_nobody_knows_says_why() -> None:
    unknown = replace(PREVIEW, finish=replace(PREVIEW.finish, at=None))
    assert "was not asked" in preview_lines.finish_line(unknown)
    assert preview_lines.finish_line(replace(PREVIEW, to_send=0)) == "nothing is left to send"
    assert preview_lines.finish_line(PREVIEW) == (
        "2026-11-23 12:04 UTC, from 2026-11-23 12:00 UTC on at 300 requests a minute"
    )


def test_advice_names_characters_and_how_to_write_them() -> None:
    assert preview_lines.advice_line(Advice(characters="’", messages=40, segments=40)) == (
        "RIGHT SINGLE QUOTATION MARK turns SMS into UCS-2 and makes 40 texts longer, by 40 "
        "segments: write ' instead."
    )
    both = preview_lines.advice_line(Advice(characters="\u200b🎉", messages=1, segments=1))
    assert "turn SMS into UCS-2 and make 1 text longer, by 1 segment" in both
    assert "leave ZERO WIDTH SPACE out, which nobody sees" in both
    assert "leave PARTY POPPER out, which GSM-7 lacks" in both


@given(preview=previews)
def test_every_preview_can_be_shown(preview: Preview) -> None:
    view = PreviewView.of(preview, [])
    assert len(view.blocked) == len(preview.blocked)
    assert len(view.charges) == len(preview.bill.lines)
    assert preview_lines.finish_line(preview)
    preview_lines.difference_lines(preview.difference, preview.bill)
