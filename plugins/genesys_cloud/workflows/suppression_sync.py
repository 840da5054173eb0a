"""Suppressions out of the platform's DNC lists, and into them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from genesys_cloud.api.dnc_lists import DncEntry, DncLists
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import audit, suppressed_addresses, suppressions
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.addresses import Address, parse_address, with_plus
from genesys_cloud.outbound.channels import CHANNELS, AddressKind, Channel

log = logging.getLogger(__name__)

REASON = "dnc"

DIRECTIONS = ("pull", "push")


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What came of reading a list: suppressions made, those that were there, and no numbers."""

    added: int
    unchanged: int
    unusable: int


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """Numbers that were put on a list, and suppressions whose address the ledger has not kept."""

    pushed: int
    unknown: int


def source_of(list_id: str) -> str:
    """Return the source of suppressions that come from a list."""
    return f"dnc list {list_id}"


def pull(
    ledger: Ledger, lists: DncLists, list_id: str, *, channel: str, actor: str, now: datetime
) -> Pulled:
    """Suppress every number of a list, until it ends there; weakens no other suppression."""
    way, unusable = _phone_channel(channel), 0

    def wanted() -> Iterator[Suppression]:
        nonlocal unusable
        for entry in lists.pull(list_id):
            address = parse_address(way, with_plus(way, entry.number))
            if isinstance(address, Address):
                yield Suppression(
                    channel=way.name,
                    address=address.wire,
                    reason=REASON,
                    source=source_of(list_id),
                    expires_at=entry.expires_at,
                )
            else:
                unusable += 1

    merged = suppressions.add(ledger, wanted(), actor=actor, now=now)
    if unusable:
        log.warning(
            "%s entries of DNC list %s are no numbers in E.164 that a message could go to, and "
            "were passed over",
            unusable,
            list_id,
        )
    return Pulled(added=merged.added, unchanged=merged.unchanged, unusable=unusable)


def push(
    ledger: Ledger, lists: DncLists, list_id: str, *, channel: str, actor: str, now: datetime
) -> Pushed:
    """Put the suppressed numbers on a list, save those that came from it.

    The ledger's list holds digests, so that only those go of which a message is still known.
    """
    way = _phone_channel(channel)
    found = suppressed_addresses.find(ledger, way.name, now=now, not_from=source_of(list_id))
    entries = (DncEntry(wire.removeprefix(way.prefix), ends) for wire, ends in found.known)
    done = Pushed(pushed=lists.push(list_id, entries), unknown=found.unknown)
    details = {"list": list_id, "channel": way.name, **asdict(done)}
    audit.note(
        ledger, AuditEntry(at=now, actor=actor, action="suppression.pushed", details=details)
    )
    return done


def sync(list_id: str, *, direction: str, channel: str, actor: str) -> Pulled | Pushed:
    """Pull or push a list with the connection's account."""
    from genesys_cloud.hooks.genesys_cloud import ledger_url

    if not list_id or direction not in DIRECTIONS:
        raise CampaignDefinitionError(
            "A synchronisation needs list_id, as `genesys-cloud suppressions lists` shows it, and "
            f"a direction, {' or '.join(DIRECTIONS)}."
        )
    ledger = open_ledger(ledger_url())
    try:
        with dnc_lists() as lists:
            work = pull if direction == "pull" else push
            return work(ledger, lists, list_id, channel=channel, actor=actor, now=datetime.now(UTC))
    finally:
        ledger.close()


@contextmanager
def dnc_lists() -> Iterator[DncLists]:
    """Open the account's lists; raises CampaignDefinitionError in a profile without any."""
    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook

    with GenesysCloudHook().get_conn() as client:
        if client.profile != "agentless":
            raise CampaignDefinitionError(
                f"This connection's profile is {client.profile}, which has no DNC lists; the real "
                "platform's is agentless."
            )
        yield DncLists(client.session)


def _phone_channel(name: str) -> Channel:
    channel = CHANNELS.get(name)
    if channel is None or channel.kind is not AddressKind.PHONE:
        known = ", ".join(one.name for one in CHANNELS.values() if one.kind is AddressKind.PHONE)
        raise CampaignDefinitionError(
            f"DNC lists hold phone numbers, and {name!r} is no channel with numbers; use {known}."
        )
    return channel
