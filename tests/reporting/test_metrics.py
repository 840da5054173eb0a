"""Figures: each against arithmetic done by hand or by plain Python."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.outbound.deliveries import LedgerFact
from genesys_cloud.reporting import metrics
from genesys_cloud.reporting.frames import to_batch, to_frame
from tests.reporting.samples import START, delivery, realistic_day


def frame_of(deliveries, facts=None):
    return to_frame(pa.Table.from_batches([to_batch(deliveries, facts or {})]))


def figures(*deliveries):
    return metrics.day_metrics(frame_of(deliveries))


def many(**statuses):
    return [
        delivery(f"{status}{n}", status=status)
        for status, count in statuses.items()
        for n in range(count)
    ]


def test_success_rate_is_delivered_over_delivered_and_failed():
    day = figures(*many(delivered=19, failed=1, queued=5))
    assert (day["totalSent"], day["delivered"], day["failed"]) == (20, 19, 1)
    assert day["successRate"] == "95.00%"  # 19 / 20
    assert day["deliveredOfAccepted"] == "76.00%"  # 19 / 25


def test_what_was_read_was_delivered():
    assert figures(*many(delivered=1, read=2, failed=1))["successRate"] == "75.00%"


def test_pending_is_what_is_not_final():
    day = figures(*many(pending=1, queued=2, sent=3, delivered=4, failed=5), *many(strange=6))
    assert day["pending"] == 12  # 1 + 2 + 3 and the 6 that we do not know
    assert day["byStatus"]["strange"] == 6


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0.00%"),
        (0, 7, "0.00%"),
        (7, 7, "100.00%"),
        (2, 3, "66.67%"),
        (97, 800, "12.13%"),  # 12.125, a half: up
        (1, 16_000, "0.01%"),  # 0.00625
    ],
)
def test_rate_has_two_decimals_and_rounds_halves_up(part, whole, text):
    assert metrics.rate(part, whole) == text


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 25.53, 36.62),  # Newcombe 1998, table I, method 3
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
        (20, 20, 83.89, 100.0),
    ],
)
def test_wilson_interval_has_the_published_values(part, whole, low, high):
    assert metrics.wilson(part, whole) == {"low": low, "high": high}


def test_wilson_interval_of_nothing_is_null():
    assert metrics.wilson(0, 0) is None


def test_percentiles_interpolate_linearly():
    sent = [
        delivery(f"m{n}", sent_at=delivery().created_at + timedelta(milliseconds=10 * n))
        for n in range(1, 11)
    ]
    latency = figures(*sent)["latency"]  # 10, 20 ... 100
    assert latency == {
        "count": 10,
        "mean": 55,
        "p50": 55,
        "p90": 91,  # 90 + 0.1 * 10, at place 0.9 * 9 = 8.1
        "p95": 95.5,
        "p99": 99.1,
        "max": 100,
    }


def test_average_latency_leaves_out_missing_ones():
    day = figures(delivery("a"), delivery("b", sent_at=None))
    assert day["averageLatencyMs"] == 500
    assert day["latency"]["count"] == 1


def test_negative_latency_is_counted_as_skew_and_not_averaged():
    early = delivery().created_at - timedelta(seconds=1)
    day = figures(delivery("a"), delivery("b", sent_at=early, delivered_at=early))
    assert day["clockSkewed"] == 1
    assert day["averageLatencyMs"] == 500
    assert day["deliveryLatency"]["count"] == 1


def test_funnel_counts_a_message_that_left_and_failed_as_sent():
    day = figures(
        delivery("a", status="queued", sent_at=None),
        delivery("b", status="failed"),
        delivery("c", status="failed", sent_at=None),
        delivery("d", status="read"),
        delivery("e", status="delivered", sent_at=None),
    )
    assert day["funnel"] == {
        "accepted": 5,
        "sent": 3,  # b, d, and e whose status says so
        "delivered": 2,
        "read": 1,
        "failed": 2,
        "pending": 1,
    }


def test_failure_after_delivery_is_a_contradiction():
    day = figures(delivery("a", status="failed"), delivery("b", status="failed", delivered_at=None))
    assert day["contradictions"] == 1


def test_failure_reasons_are_ordered_by_count_then_name():
    codes = ["30005", "30003", None, "30003", "21610"]
    failed = [delivery(f"m{n}", status="failed", error_code=c) for n, c in enumerate(codes)]
    reasons = figures(*failed, delivery("d", error_code="not failed"))["failureReasons"]
    assert list(reasons.items()) == [("30003", 2), ("(none)", 1), ("21610", 1), ("30005", 1)]


def test_breakdowns_are_keyed_by_utc_time_channel_campaign_and_language():
    fact = LedgerFact(campaign_id="c", language="fr", template="t", template_version="1")
    day = metrics.day_metrics(
        frame_of([delivery("a"), delivery("b", channel="messaging:web")], {"a": fact})
    )
    assert set(day["byDay"]) == {"2024-01-15"}
    assert set(day["byHour"]) == {"09"}
    assert set(day["byChannel"]) == {"messaging:sms", "messaging:web"}
    assert set(day["byCampaign"]) == {"c", "(none)"}
    assert day["byLanguage"]["fr"]["totalSent"] == 1


def test_message_without_a_created_date_is_under_none():
    day = figures(delivery("a", created_at=None), delivery("b"))
    assert day["byHour"]["(none)"]["accepted"] == 1
    assert list(day["byDay"]) == ["(none)", "2024-01-15"]


def test_campaign_named_like_the_missing_one_is_added_to_it():
    day = figures(delivery("a", campaign_id="(none)"), delivery("b"))
    assert day["byCampaign"]["(none)"]["accepted"] == 2


def test_segments_are_added_up():
    fact = LedgerFact(
        campaign_id="c", language=None, template=None, template_version=None, segments=2
    )
    frame = frame_of([delivery("a"), delivery("b"), delivery("c")], {"a": fact, "b": fact})
    assert metrics.day_metrics(frame)["segments"] == 4


def test_empty_day_has_zeros_and_nulls():
    day = figures()
    assert (day["totalSent"], day["delivered"], day["failed"], day["pending"]) == (0, 0, 0, 0)
    assert day["successRate"] == "0.00%"
    assert day["successInterval95"] is None
    assert day["averageLatencyMs"] is None
    assert set(day["latency"].values()) == {0, None}
    assert day["byCampaign"] == day["failureReasons"] == {}


@pytest.mark.parametrize("count", [0, 1, 60])
def test_json_is_strictly_valid(count):
    messages, facts = realistic_day(count)
    text = metrics.to_json(metrics.day_metrics(frame_of(messages, facts)))

    def refuse(word):
        raise AssertionError(word)

    assert json.loads(text, parse_constant=refuse)["accepted"] == count


def test_not_a_number_is_never_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        metrics.to_json({"mean": math.nan})


latencies = st.none() | st.integers(-5_000, 10**9)
messages = st.lists(
    st.builds(
        lambda status, campaign, channel, minute, send, arrive, code: delivery(
            status=status,
            campaign_id=campaign,
            channel=channel,
            error_code=code,
            created_at=START + timedelta(minutes=minute),
            sent_at=later(minute, send),
            delivered_at=later(minute, arrive),
        ),
        st.sampled_from(["pending", "queued", "sent", "delivered", "read", "failed", "odd"]),
        st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=3),
        st.sampled_from(["messaging:sms", "messaging:web"]),
        st.integers(0, 1_439),
        latencies,
        latencies,
        st.none() | st.sampled_from(["1", "2"]),
    ),
    max_size=25,
)


def later(minute, milliseconds):
    if milliseconds is None:
        return None
    return START + timedelta(minutes=minute, milliseconds=milliseconds)


def numbered(rows):
    return [dataclasses.replace(row, message_id=f"m{n}") for n, row in enumerate(rows)]


def quantile(values, share):
    """The linear definition, written out: between the two values nearest to its place."""
    values = sorted(values)
    place = share * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


@settings(max_examples=30, deadline=None)
@given(messages)
def test_every_breakdown_adds_up_to_the_day(rows):
    day = figures(*numbered(rows))
    for breakdown in metrics.BREAKDOWNS:
        for figure in ("accepted", "totalSent", "delivered", "failed", "pending"):
            assert sum(group[figure] for group in day[breakdown].values()) == day[figure]
        counts = [group["latency"]["count"] for group in day[breakdown].values()]
        assert sum(counts) == day["latency"]["count"]
    assert sum(day["failureReasons"].values()) == day["failed"]
    assert sum(day["byStatus"].values()) == day["accepted"] == len(rows)


@settings(max_examples=15, deadline=None)
@given(messages, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows, dice):
    rows = numbered(rows)
    shuffled = dice.sample(rows, len(rows))
    assert metrics.to_json(figures(*rows)) == metrics.to_json(figures(*shuffled))


@settings(max_examples=30, deadline=None)
@given(messages)
def test_figures_agree_with_plain_python(rows):
    day = figures(*numbered(rows))
    delivered = sum(row.status in {"delivered", "read"} for row in rows)
    failed = sum(row.status == "failed" for row in rows)
    assert (day["delivered"], day["failed"]) == (delivered, failed)
    spans = [row.sent_at - row.created_at for row in rows if row.sent_at]
    values = [round(span / timedelta(milliseconds=1)) for span in spans]
    kept = [value for value in values if value >= 0]
    latency = day["latency"]
    assert latency["count"] == len(kept)
    if kept:
        assert latency["mean"] == pytest.approx(sum(kept) / len(kept), abs=0.001)
        assert latency["max"] == max(kept)
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
            assert latency[name] == pytest.approx(quantile(kept, share), abs=0.001)
            assert min(kept) <= latency[name] <= max(kept)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_interval_holds_the_rate_and_stays_within_bounds(part, more):
    whole = part + more
    bounds = metrics.wilson(part, whole)
    assert 0 <= bounds["low"] <= 100 * part / whole + 0.005
    assert 100 * part / whole - 0.005 <= bounds["high"] <= 100


def test_plain_frames_of_analysts_work_too():
    frame = frame_of(realistic_day(50)[0])
    part = frame[frame["channelType"] == "messaging:sms"].sample(frac=1, random_state=1)
    assert isinstance(part, pd.DataFrame)
    assert metrics.day_metrics(part)["accepted"] == len(part)
