"""Delivery rows joined with what the ledger knows, in one explicit Arrow schema.

Every column is described in docs/data-dictionary.md. A time that Genesys did not give is null and
so is a latency that needs it; neither is ever 0. No address and no text is among the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pandas as pd
import pyarrow as pa

from genesys_cloud.outbound.deliveries import Delivery, LedgerFact

_TIME = pa.timestamp("ms", tz="UTC")

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
    ]
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_batch(deliveries: Sequence[Delivery], facts: Mapping[str, LedgerFact]) -> pa.RecordBatch:
    """Join deliveries with ledger facts by message id; the order of the deliveries is kept."""
    rows = [_row(delivery, facts.get(delivery.message_id)) for delivery in deliveries]
    columns = zip(*rows, strict=True) if rows else ((),) * len(SCHEMA)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, SCHEMA.types, strict=True)]
    return pa.record_batch(arrays, schema=SCHEMA)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table of SCHEMA as a data frame; null becomes NaN or NaT."""
    return cast("pd.DataFrame", table.to_pandas())


def _row(delivery: Delivery, fact: LedgerFact | None) -> tuple[object, ...]:
    """Return one row in the order of SCHEMA."""
    created, sent = _milliseconds(delivery.created_at), _milliseconds(delivery.sent_at)
    delivered = _milliseconds(delivery.delivered_at)
    return (
        _text(delivery.message_id),
        _text(delivery.channel),
        _text(delivery.status),
        created,
        sent,
        delivered,
        _difference(sent, created),
        _milliseconds(delivery.read_at),
        _milliseconds(delivery.failed_at),
        _difference(delivered, created),
        _text(delivery.error_code),
        _text(fact.campaign_id if fact else delivery.campaign_id),
        _text(fact.language if fact else None),
        _text(fact.template if fact else None),
        _text(fact.template_version if fact else None),
        fact is not None,
        fact.segments if fact else None,
        _milliseconds(fact.accepted_at if fact else None),
    )


def _milliseconds(moment: datetime | None) -> int | None:
    """Return whole milliseconds since 1970, exact where a float would round."""
    return None if moment is None else (moment - _EPOCH) // _MILLISECOND


def _difference(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else later - earlier


def _text(value: str | None) -> str | None:
    """Replace half a surrogate pair, which JSON can carry and Parquet can't."""
    return None if value is None else value.encode("utf-8", "replace").decode()
