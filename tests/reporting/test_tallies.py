"""Tallies: against plain Python, in parts and whole, whatever kinds the frame's columns have."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.reporting import metrics
from genesys_cloud.reporting.frames import SCHEMA, to_batch, to_frame
from genesys_cloud.reporting.tallies import COLUMNS, TEXTS, add_up, tally
from tests.reporting import plain
from tests.reporting.samples import START, delivery, realistic_day

MILLISECOND = timedelta(milliseconds=1)
COUNTS = ("accepted", "totalSent", "delivered", "failed", "pending")


def frame_of(rows):
    return to_frame(pa.Table.from_batches([to_batch(rows, {})], schema=SCHEMA))


def figures_of(frame):
    return metrics.figures(tally(frame))


def made(drawn):
    """Make a row whose times lie so many ms after its creation, or after START where that lacks."""
    created = drawn.pop("created")
    known = START + timedelta(minutes=created or 0)
    times = {name: drawn.pop(name) for name in ("sent_at", "delivered_at")}
    return delivery(
        created_at=None if created is None else known,
        **{name: None if ms is None else known + ms * MILLISECOND for name, ms in times.items()},
        **drawn,
    )


latencies = st.none() | st.integers(-5_000, 5_000) | st.integers(0, 10**12)
rows_of_days = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(
                ["pending", "queued", "sent", "delivered", "read", "failed", "odd", ""]
            ),
            "campaign_id": st.none()
            | st.sampled_from(["a", "A", "(none)", ""])
            | st.text("xyz\u202e$", max_size=3),
            "channel": st.sampled_from(["messaging:sms", "messaging:web"]),
            "created": st.none() | st.integers(0, 3 * 1_440 - 1),
            "sent_at": latencies,
            "delivered_at": latencies,
            "error_code": st.none() | st.sampled_from(["1", "2"]),
        }
    ).map(made),
    max_size=30,
).map(lambda rows: [dataclasses.replace(row, message_id=f"m{n}") for n, row in enumerate(rows)])


@settings(max_examples=60, deadline=None)
@given(rows_of_days)
def test_every_figure_agrees_with_plain_python(rows):
    found = figures_of(frame_of(rows))
    expected = plain.figures(rows)
    assert {name: found[name] for name in expected} == expected
    assert found["byDay"] == plain.figures(rows, plain.day)
    assert found["byHour"] == plain.figures(rows, plain.hour)
    assert found["byChannel"] == plain.figures(rows, lambda row: row.channel)
    assert found["byCampaign"] == plain.figures(rows, plain.campaign)
    assert found["clockSkewed"] == plain.skewed(rows)
    assert found["failureReasons"] == plain.reasons(rows)


@settings(max_examples=40, deadline=None)
@given(rows_of_days)
def test_hours_add_up_to_the_day_and_days_to_the_range(rows):
    whole = figures_of(frame_of(rows))
    for name in COUNTS:
        assert sum(one[name] for one in whole["byDay"].values()) == whole[name]
    for day in whole["byDay"]:
        part = figures_of(frame_of([row for row in rows if plain.day(row) == day]))
        assert {name: part[name] for name in COUNTS} == {
            name: whole["byDay"][day][name] for name in COUNTS
        }
        for name in COUNTS:
            assert sum(one[name] for one in part["byHour"].values()) == part[name]


@settings(max_examples=40, deadline=None)
@given(rows_of_days, st.integers(0, 30), st.randoms(use_true_random=False))
def test_parts_in_any_order_add_up_to_the_figures_of_the_whole(rows, cut, dice):
    shuffled = dice.sample(rows, len(rows))
    parts = [tally(frame_of(part)) for part in (shuffled[:cut], shuffled[cut:])]
    nothing = tally(frame_of([]))
    for order in (parts, parts[::-1]):
        assert metrics.to_json(metrics.figures(add_up(order, nothing))) == metrics.to_json(
            figures_of(frame_of(rows))
        )


@pytest.mark.parametrize("kind", ["object", "category", "string"])
def test_text_columns_may_be_of_any_kind(kind):
    frame = frame_of(realistic_day(80)[0])
    other = frame.astype(dict.fromkeys(TEXTS, kind))
    assert figures_of(other) == figures_of(frame)


@pytest.mark.parametrize("kind", ["Int64", "int32", "float32", "int32[pyarrow]"])
def test_numbers_may_be_compact(kind):
    frame = frame_of([delivery("a"), delivery("b", status="read")])
    frame["segments"] = 1
    numbers = ("latencyMs", "deliveryLatencyMs", "segments")
    assert figures_of(frame.astype(dict.fromkeys(numbers, kind))) == figures_of(frame)


def test_unused_categories_are_no_groups():
    frame = frame_of([delivery("a", campaign_id="c")])
    frame["campaignId"] = pd.Categorical(["c"], categories=["unused", "c"])
    assert list(figures_of(frame)["byCampaign"]) == ["c"]


def test_columns_that_are_not_counted_may_be_left_out():
    frame = frame_of(realistic_day(20)[0])
    assert figures_of(frame[list(COLUMNS)]) == figures_of(frame)


def test_the_caller_keeps_the_frame_as_it_was():
    frame = frame_of(realistic_day(20)[0])
    before = frame.copy()
    tally(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_latencies_of_years_do_not_overflow():
    # 10^16 ms a thousand times is more than 64 bits hold.
    frame = frame_of([delivery(f"m{n}") for n in range(1_000)])
    frame["latencyMs"] = 10**16
    assert figures_of(frame)["latency"]["mean"] == 10**16


def test_days_are_utc_whatever_zone_the_frame_has():
    frame = frame_of([delivery("a", created_at=START + timedelta(hours=23, minutes=30))])
    frame["createdDate"] = frame["createdDate"].dt.tz_convert("UTC+02:00")
    found = figures_of(frame)
    assert (list(found["byDay"]), list(found["byHour"])) == (["2024-01-15"], ["23"])
