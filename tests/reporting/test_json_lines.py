"""JSON lines: what any JSON reader makes of them is what the rows hold."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_cloud.reporting import json_lines
from genesys_cloud.reporting.frames import SCHEMA, to_batch
from tests.reporting.samples import START, delivery


def read(*deliveries):
    text = bytes(json_lines.lines(to_batch(deliveries, {}))).decode()
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_a_line_has_the_columns_in_their_order():
    (row,) = read(delivery(sent_at=None))
    assert list(row) == SCHEMA.names
    assert (row["messageId"], row["sentDate"], row["latencyMs"]) == ("m1", None, None)
    assert row["createdDate"] == "2024-01-15T09:00:00.000Z"
    assert (row["inLedger"], row["deliveryLatencyMs"]) == (False, 2_000)


def test_no_rows_are_no_lines():
    assert read() == []


def test_a_part_of_a_batch_is_written_alone():
    batch = to_batch([delivery("a"), delivery("b"), delivery("c")], {}).slice(1, 1)
    assert [
        json.loads(line)["messageId"] for line in bytes(json_lines.lines(batch)).splitlines()
    ] == ["b"]


def test_a_negative_latency_is_a_number():
    (row,) = read(delivery(sent_at=START))
    assert row["latencyMs"] == -32_400_000


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), max_size=4))
def test_any_text_reads_back(texts):
    found = read(*(delivery(f"m{n}", campaign_id=text) for n, text in enumerate(texts)))
    assert [row["campaignId"] for row in found] == texts
