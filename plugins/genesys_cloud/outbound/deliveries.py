"""One row of delivery data, as Genesys lists it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message as the API lists it; every time is aware UTC, and None where the API gives none.

    `recipient` and `message_key` are None where the API gives no address or metadata back.
    """

    message_id: str
    channel: str
    status: str
    created_at: datetime | None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    error_code: str | None = None
    recipient: str | None = None
    message_key: str | None = None
    campaign_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeliveryPage:
    """One page of the list; `total` is the API's count over all pages, None where it gives none."""

    number: int
    total: int | None
    deliveries: Sequence[Delivery] = field(repr=False)
    has_more: bool


@dataclass(frozen=True, kw_only=True)
class LedgerFact:
    """What the ledger knows of a message that Genesys accepted.

    `segments` is the count that is billed, None where the channel has none; `accepted_at` is when
    the send was answered, by our clock, aware UTC.
    """

    campaign_id: str
    language: str | None
    template: str | None
    template_version: str | None
    segments: int | None = None
    accepted_at: datetime | None = None
