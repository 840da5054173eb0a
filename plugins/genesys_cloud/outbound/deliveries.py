"""One row of delivery data, as Genesys lists it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from genesys_cloud.outbound.status import Status, advance

CLOCKS_APART = timedelta(minutes=2)
"""How far Genesys' clock and ours may disagree."""

LONGEST_ANSWER = timedelta(minutes=10)
"""How long after the attempt was committed its message may have been created."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message as the API lists it; every time is aware UTC, and None where the API gives none.

    `recipient` and `message_key` are None where the API gives no address or metadata back, and
    `conversation_id` where it has no conversations. `recipient` is in the ledger's form.
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
    conversation_id: str | None = None

    def reached_at(self, status: Status) -> datetime | None:
        """Return when the message reached a status, None where the API does not say."""
        times = {
            Status.QUEUED: self.created_at,
            Status.SENT: self.sent_at,
            Status.DELIVERED: self.delivered_at,
            Status.READ: self.read_at,
            Status.FAILED: self.failed_at,
        }
        return times.get(status)


@dataclass(frozen=True, kw_only=True)
class DeliveryPage:
    """One page of the list; `total` is the API's count over all pages, None where it gives none.

    An `approximate` total may be off by a few while data arrives.
    """

    number: int
    total: int | None
    deliveries: Sequence[Delivery] = field(repr=False)
    has_more: bool
    approximate: bool = False


@dataclass(frozen=True, kw_only=True)
class LedgerFact:
    """What the ledger knows of a message that Genesys accepted.

    `segments` is the count that is billed, None where the channel has none. `attempted_at` and
    `accepted_at` are when the send began and was answered, by our clock, aware UTC. `status` is
    None where nobody asked for it. With `is_test` it is a test's, and counts in no statistics.
    """

    campaign_id: str
    language: str | None
    template: str | None
    template_version: str | None
    segments: int | None = None
    accepted_at: datetime | None = None
    attempted_at: datetime | None = None
    status: str | None = None
    is_test: bool = False

    def known_behind(self, status: str) -> bool:
        """Return whether the ledger's status would move forward to this one."""
        ours, theirs = Status.parse(self.status or ""), Status.parse(status)
        return ours is not None and theirs is not None and advance(ours, theirs).moved


@dataclass(frozen=True, kw_only=True)
class SurelyWithin:
    """The sends whose messages Genesys created in [start, end), whatever its clock says.

    Those that began from `begun_from` on and before `begun_before`, or had their answer before
    `answered_before`. What was sent within minutes of either end may belong to the neighbour.
    """

    begun_from: datetime
    begun_before: datetime
    answered_before: datetime

    @classmethod
    def of(cls, start: datetime, end: datetime) -> SurelyWithin:
        """Return what is surely within an interval."""
        return cls(
            begun_from=start + CLOCKS_APART,
            begun_before=end - LONGEST_ANSWER,
            answered_before=end - CLOCKS_APART,
        )

    def has(self, fact: LedgerFact) -> bool:
        """Return whether a message is among them."""
        begun, answered = fact.attempted_at, fact.accepted_at
        if begun is None or begun < self.begun_from:
            return False
        return begun < self.begun_before or (
            answered is not None and answered < self.answered_before
        )
