"""A preview of a plain campaign, for tests of what is made of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from genesys_cloud.outbound.estimated_finish import Finish
from genesys_cloud.outbound.preview import Preview
from genesys_cloud.outbound.prices import Bill, BillLine

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PREVIEW = Preview(
    campaign_id="camp_1",
    occurrence="once",
    created_at=NOW,
    dry_run=False,
    is_test=False,
    profile="messaging",
    assumed=False,
    template="order_update",
    template_version="v1",
    audience_digest="a1",
    settings={"audience": "people.csv", "messages_per_minute": None},
    recipients=1_000,
    planned=1_000,
    held=0,
    opens_at=None,
    to_send=1_000,
    segments=1_200,
    blocked={},
    examples={},
    languages={"en": 1_000},
    bill=Bill(
        provider="sms", unit="segment", currency="EUR", version="2026-11-23.ab", example=False,
        lines=(BillLine(country="US", units=1_200, price=Decimal("0.01")),),
    ),
    finish=Finish(starts_at=NOW, at=NOW + timedelta(minutes=4), paced_by="300 requests a minute"),
    advice=(),
)  # fmt: skip
