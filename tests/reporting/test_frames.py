"""Rows: what joins with the ledger, what stays null, and how latencies are counted."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from genesys_cloud.outbound.deliveries import LedgerFact
from genesys_cloud.reporting.frames import SCHEMA, to_batch, to_frame
from tests.reporting.samples import START, delivery

FACT = LedgerFact(
    campaign_id="spring",
    language="de",
    template="order_update",
    template_version="v1",
    segments=2,
    accepted_at=START,
)


def row(message_id="m1", facts=None, **changes):
    return to_batch([delivery(message_id, **changes)], facts or {}).to_pylist()[0]


def test_first_columns_are_the_published_ones():
    assert SCHEMA.names[:7] == [
        "messageId",
        "channelType",
        "status",
        "createdDate",
        "sentDate",
        "deliveredDate",
        "latencyMs",
    ]


def test_no_column_holds_an_address_or_a_text():
    hidden = row(recipient="+15550101", message_key="secret-key")
    assert "+15550101" not in str(hidden)
    assert "secret-key" not in str(hidden)


def test_latencies_run_from_created():
    assert row()["latencyMs"] == 500
    assert row()["deliveryLatencyMs"] == 2_000


@pytest.mark.parametrize("missing", ["created_at", "sent_at"])
def test_latency_without_one_of_its_times_is_null_and_not_zero(missing):
    assert row(**{missing: None})["latencyMs"] is None


def test_latency_of_a_sub_millisecond_difference_is_counted_between_the_shown_times():
    created = START + timedelta(microseconds=900)
    # shown as .000 and .001, hence 1 ms although only 0.2 ms passed
    assert row(created_at=created, sent_at=START + timedelta(microseconds=1_100))["latencyMs"] == 1


def test_negative_latency_is_kept_as_it_is():
    assert row(sent_at=START, created_at=START + timedelta(seconds=3))["latencyMs"] == -3_000


def test_times_in_other_zones_are_converted_to_utc():
    here = timezone(timedelta(hours=5, minutes=30))
    assert row(created_at=datetime(2024, 1, 15, 5, 30, tzinfo=here))["createdDate"] == START


def test_ledger_facts_join_by_message_id():
    joined = row("m1", {"m1": FACT}, campaign_id="other")
    assert joined["campaignId"] == "spring"
    assert joined["language"] == "de"
    assert joined["template"] == "order_update"
    assert joined["templateVersion"] == "v1"
    assert joined["segments"] == 2
    assert joined["acceptedDate"] == START
    assert joined["inLedger"] is True


def test_message_that_the_ledger_lacks_keeps_the_campaign_that_genesys_gives():
    stranger = row("m1", {"m2": FACT}, campaign_id="other")
    assert stranger["campaignId"] == "other"
    assert stranger["language"] is None
    assert stranger["inLedger"] is False


def test_an_error_code_keeps_no_number_that_somebody_could_be_called_on():
    assert row(error_code="no route to +12025550123")["errorCode"] == "no route to …"
    assert row(error_code="to 12025550123")["errorCode"] == "to …"
    for code in ("30007", "0x0000000B", "carrier_63016", "E-2026-11"):
        assert row(error_code=code)["errorCode"] == code


def test_half_a_surrogate_pair_is_replaced():
    assert row(error_code="bad \ud83d code")["errorCode"] == "bad ? code"


def test_empty_page_has_the_schema():
    batch = to_batch([], {})
    assert batch.schema == SCHEMA
    assert batch.num_rows == 0


def test_frame_keeps_columns_and_nulls():
    import pyarrow as pa

    frame = to_frame(pa.Table.from_batches([to_batch([delivery(sent_at=None)], {})]))
    assert list(frame.columns) == SCHEMA.names
    assert frame["sentDate"].isna().all()
    assert frame["latencyMs"].isna().all()
