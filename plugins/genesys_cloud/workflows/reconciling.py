"""Settles unknown sends by asking Genesys what it has; what can't be told apart stays unknown."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from genesys_cloud.errors import PagingError, RequestRejectedError
from genesys_cloud.ledger import recovery, unknowns
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.unknowns import Finding, Unknown
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage

log = logging.getLogger(__name__)

BEFORE = timedelta(minutes=2)
"""How far Genesys' clock may be behind ours."""

AFTER = timedelta(minutes=10)
"""How long after the attempt was committed its message may have been created."""

MOST_NARROWED = 50
"""Recipients whom one list is narrowed to; for more of them, everybody's messages are listed."""


LONGEST_SEARCH = timedelta(days=7)
"""How long after an attempt its message is looked for; a person settles what is older."""


class Lister(Protocol):
    """What lists messages by the time of their creation."""

    def pages(self, start: datetime, end: datetime) -> Iterator[DeliveryPage]:
        """Yield the pages of messages created in an interval."""


class Finder(Protocol):
    """What lists the messages to some people, and tells what went out in a conversation."""

    def pages(
        self, start: datetime, end: datetime, *, recipients: Sequence[str] = ()
    ) -> Iterator[DeliveryPage]:
        """Yield the pages of messages created in an interval, to some recipients or to all."""

    def outbound_ids(self, conversation_id: str) -> Sequence[str]:
        """Return the ids of the messages that went out in a conversation."""


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What a reconciliation did: leases taken over, messages found, messages left to a person."""

    recovered: int
    found: int
    left: int


def reconcile(
    ledger: Ledger, finder: Finder, *, now: datetime, campaign_id: str | None = None
) -> Reconciled:
    """Take over what dead workers left, and settle every unknown message that the API lists.

    An interval whose list can't be read is left to the next time.
    """
    recovered = recovery.recover(ledger, now)
    open_ones = unknowns.find(ledger, campaign_id=campaign_id, since=now - LONGEST_SEARCH)
    found = 0
    for start, end in windows([one.attempted_at for one in open_ones]):
        mine = [one for one in open_ones if start <= one.attempted_at - BEFORE < end]
        try:
            findings = _findings(ledger, finder, start, end, mine)
        except (PagingError, RequestRejectedError) as error:
            log.warning("%s unknown messages are looked for again later: %s", len(mine), error)
            continue
        found += unknowns.accept(ledger, findings, now=now)
    left = len(unknowns.find(ledger, campaign_id=campaign_id))
    return Reconciled(recovered=recovered, found=found, left=left)


def _findings(
    ledger: Ledger, finder: Finder, start: datetime, end: datetime, mine: Sequence[Unknown]
) -> list[Finding]:
    listed = _relevant(finder, start, end, mine)
    if not listed:
        return []
    # Every message that the list shows was an attempt by now, and what is settled after this is
    # no stranger: between the two, nobody's message can pass for somebody else's.
    rivals = unknowns.rivals(ledger, start - AFTER, end + BEFORE)
    fresh = unknowns.strangers(ledger, listed)
    ours = {one.id for one in mine}
    matched = [one for one in match(rivals, fresh) if one.unknown.id in ours]
    findings = [_identified(finder, one) for one in matched]
    # A message may be in the ledger without its conversation, and is no stranger then.
    known = unknowns.known_ids(ledger, [one.message_id for one in findings if one.message_id])
    return [one for one in findings if one.message_id not in known]


def windows(instants: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Return the intervals to ask for, overlapping ones joined."""
    joined: list[tuple[datetime, datetime]] = []
    for instant in sorted(instants):
        start, end = instant - BEFORE, instant + AFTER
        if joined and start <= joined[-1][1]:
            start, _ = joined.pop()
        joined.append((start, end))
    return joined


def match(open_ones: Sequence[Unknown], listed: Sequence[Delivery]) -> list[Finding]:
    """Return which unknown message each listed one is: by its key, else by recipient and time.

    Without a key, one unknown message and one listed message of the recipient must face each
    other; two of either can't be told apart, and stay unknown.
    """
    by_key = {one.message_key: one for one in open_ones}
    findings: dict[int, Finding] = {}
    for delivery in listed:
        unknown = by_key.get(delivery.message_key or "")
        if unknown is not None and unknown.id not in findings:
            findings[unknown.id] = _finding(unknown, delivery, "listed with its message key")
    rest = [one for one in open_ones if one.id not in findings]
    keyless = [one for one in listed if one.message_key is None]
    for unknown, delivery in _pairs(rest, keyless):
        findings[unknown.id] = _finding(
            unknown, delivery, "the only message listed for its recipient at its time"
        )
    return list(findings.values())


def _pairs(
    open_ones: Sequence[Unknown], listed: Sequence[Delivery]
) -> Iterator[tuple[Unknown, Delivery]]:
    candidates: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in listed:
        candidates[delivery.recipient or ""].append(delivery)
    rivals: dict[str, list[Unknown]] = defaultdict(list)
    for unknown in open_ones:
        rivals[unknown.address].append(unknown)
    for address, ones in rivals.items():
        if len(ones) == 1 and len(candidates[address]) == 1:
            (unknown,), (delivery,) = ones, candidates[address]
            if _in_time(unknown, delivery):
                yield unknown, delivery


def _in_time(unknown: Unknown, delivery: Delivery) -> bool:
    at, created = unknown.attempted_at, delivery.created_at
    same_channel = delivery.channel == unknown.channel
    return same_channel and created is not None and at - BEFORE <= created < at + AFTER


def _relevant(
    finder: Finder, start: datetime, end: datetime, open_ones: Iterable[Unknown]
) -> list[Delivery]:
    """Return what is listed for these recipients or keys, dropping the rest as it comes."""
    keys = {one.message_key for one in open_ones}
    addresses = {one.address for one in open_ones}
    narrowed = sorted(addresses) if len(addresses) <= MOST_NARROWED else []
    return list({
        delivery.message_id: delivery
        for page in finder.pages(start, end, recipients=narrowed)
        for delivery in page.deliveries
        if delivery.message_key in keys or delivery.recipient in addresses
    }.values())  # fmt: skip


def _finding(unknown: Unknown, delivery: Delivery, how: str) -> Finding:
    return Finding(
        unknown=unknown,
        message_id=delivery.message_id,
        status=delivery.status,
        how=how,
        conversation_id=delivery.conversation_id,
    )


def _identified(finder: Finder, finding: Finding) -> Finding:
    """Return a finding under its message's own id, where it came from a list of conversations.

    Where several messages went out in the conversation, nobody can say which of them it is.
    """
    if finding.conversation_id is None:
        return finding
    ids = finder.outbound_ids(finding.conversation_id)
    return replace(finding, message_id=ids[0] if len(ids) == 1 else None)
