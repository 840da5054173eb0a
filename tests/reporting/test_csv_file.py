"""The CSV: ISO dates, empty cells for null, and no formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_cloud.reporting import csv_file
from genesys_cloud.reporting.frames import to_batch
from tests.reporting.samples import delivery


def written(*deliveries):
    batch = to_batch(deliveries, {})
    return (csv_file.header(batch.schema) + bytes(csv_file.lines(batch))).decode()


def test_dates_have_milliseconds_and_z():
    line = written(delivery()).splitlines()[1]
    assert line == (
        "m1,messaging:sms,delivered,2024-01-15T09:00:00.000Z,2024-01-15T09:00:00.500Z,"
        "2024-01-15T09:00:02.000Z,500,,,2000,,,,,,false,,,false"
    )


def test_header_is_there_without_rows():
    assert written().startswith(
        "messageId,channelType,status,createdDate,sentDate,deliveredDate,latencyMs,"
    )


def test_lines_end_in_a_line_feed():
    assert "\r" not in written(delivery())


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_formula_is_neutralised(first):
    text = written(delivery(campaign_id=f"{first}cmd|' /C calc'!A0"))
    campaign = next(csv.DictReader(io.StringIO(text, newline="")))["campaignId"]
    assert campaign == f"'{first}cmd|' /C calc'!A0"


def test_formula_character_further_on_is_left_alone():
    text = written(delivery(campaign_id="a=b\n-c"))
    assert next(csv.DictReader(io.StringIO(text, newline="")))["campaignId"] == "a=b\n-c"


def test_negative_number_is_left_a_number():
    early = delivery(sent_at=delivery().created_at.replace(hour=8))
    assert ",-3600000," in written(early)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=12))
def test_any_text_reads_back(text):
    written_text = written(delivery(campaign_id=text))
    (row,) = csv.DictReader(io.StringIO(written_text, newline=""))
    assert row["campaignId"] in {text, f"'{text}"}
    assert written_text.count("messageId") == 1
