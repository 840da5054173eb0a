"""Delivery rows joined with what the ledger knows, in one explicit Arrow schema.

Every column is described in docs/data-dictionary.md. A time that Genesys did not give is null and
so is a latency that needs it; neither is ever 0. No address and no text is among the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from genesys_cloud.outbound.deliveries import Delivery, LedgerFact

_TIME = pa.timestamp("ms", tz="UTC")
_FINE_TIME = pa.timestamp("us", tz="UTC")

SCHEMA = pa.schema(
    [
        pa.field("messageId", pa.string(), nullable=False),
        pa.field("channelType", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("createdDate", _TIME),
        pa.field("sentDate", _TIME),
        pa.field("deliveredDate", _TIME),
        pa.field("latencyMs", pa.int64()),
        pa.field("readDate", _TIME),
        pa.field("failedDate", _TIME),
        pa.field("deliveryLatencyMs", pa.int64()),
        pa.field("errorCode", pa.string()),
        pa.field("campaignId", pa.string()),
        pa.field("language", pa.string()),
        pa.field("template", pa.string()),
        pa.field("templateVersion", pa.string()),
        pa.field("inLedger", pa.bool_(), nullable=False),
        pa.field("segments", pa.int64()),
        pa.field("acceptedDate", _TIME),
        pa.field("isTest", pa.bool_(), nullable=False),
    ]
)


_LONG_NUMBER = r"\+[0-9]{7,15}|[0-9]{10,15}"
"""What may be a phone number; codes of errors are shorter."""


def to_batch(deliveries: Sequence[Delivery], facts: Mapping[str, LedgerFact]) -> pa.RecordBatch:
    """Join deliveries with ledger facts by message id; the order of the deliveries is kept."""
    pairs = [(one, facts.get(one.message_id)) for one in deliveries]
    created = _times(one.created_at for one in deliveries)
    sent, delivered = (
        _times(one.sent_at for one in deliveries),
        _times(one.delivered_at for one in deliveries),
    )
    arrays = [
        _texts(one.message_id for one in deliveries),
        _texts(one.channel for one in deliveries),
        _texts(one.status for one in deliveries),
        created,
        sent,
        delivered,
        _milliseconds(sent, created),
        _times(one.read_at for one in deliveries),
        _times(one.failed_at for one in deliveries),
        _milliseconds(delivered, created),
        _codes(one.error_code for one in deliveries),
        _texts(fact.campaign_id if fact else one.campaign_id for one, fact in pairs),
        _texts(fact.language if fact else None for _, fact in pairs),
        _texts(fact.template if fact else None for _, fact in pairs),
        _texts(fact.template_version if fact else None for _, fact in pairs),
        pa.array([fact is not None for _, fact in pairs], pa.bool_()),
        pa.array([fact.segments if fact else None for _, fact in pairs], pa.int64()),
        _times(fact.accepted_at if fact else None for _, fact in pairs),
        pa.array([fact is not None and fact.is_test for _, fact in pairs], pa.bool_()),
    ]
    return pa.record_batch(arrays, schema=SCHEMA)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table of SCHEMA as a data frame; null becomes NaN or NaT."""
    return cast("pd.DataFrame", table.to_pandas())


def _times(moments: Iterable[datetime | None]) -> pa.Array:
    """Return times to the millisecond, always rounded down and exact where a float would round."""
    fine = pa.array(list(moments), _FINE_TIME)
    whole = fine.cast(pa.int64()).fill_null(0).to_numpy() // 1_000
    return pa.array(whole, pa.int64(), mask=fine.is_null().to_numpy(zero_copy_only=False)).cast(
        _TIME
    )


def _milliseconds(later: pa.Array, earlier: pa.Array) -> pa.Array:
    return pc.subtract(later.cast(pa.int64()), earlier.cast(pa.int64()))


def _codes(values: Iterable[str | None]) -> pa.Array:
    """Return the codes of errors without a number that a provider may have quoted in one."""
    return pc.replace_substring_regex(_texts(values), pattern=_LONG_NUMBER, replacement="…")


def _texts(values: Iterable[str | None]) -> pa.Array:
    """Replace half a surrogate pair, which JSON can carry and Parquet can't."""
    found = list(values)
    try:
        return pa.array(found, pa.string())
    except UnicodeEncodeError:
        whole = [text and text.encode("utf-8", "replace").decode() for text in found]
        return pa.array(whole, pa.string())
