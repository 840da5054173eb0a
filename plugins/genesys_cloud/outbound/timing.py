"""Timing: whom a message may reach now, who waits for a window, and whom nobody can place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from genesys_cloud.errors import PolicyError
from genesys_cloud.outbound.addresses import Address
from genesys_cloud.outbound.channels import AddressKind, Channel
from genesys_cloud.outbound.quiet_hours import FARTHEST, QuietHours
from genesys_cloud.outbound.recipients import Recipient
from genesys_cloud.outbound.violations import Violation
from genesys_cloud.outbound.zones import Place, find_place, find_zones


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When one recipient may be written to.

    `place` is the ledger's line, None where no quiet hours hold; `held_until` is when the window
    opens, None where it is open.
    """

    place: str | None = None
    held_until: datetime | None = None


NO_HOURS = Timing()
"""Of a recipient who may be written to at any hour."""


@dataclass(frozen=True, kw_only=True)
class Timekeeper:
    """Says of each recipient of a plan that is made `now` when they may be written to."""

    quiet: QuietHours
    message_class: str
    now: datetime

    @property
    def version(self) -> str | None:
        """The version of the policy, None where it says nothing of this class of messages."""
        return self.quiet.version if self.quiet.concern(self.message_class) else None

    def time(self, channel: Channel, recipient: Recipient, address: Address) -> Timing | Violation:
        """Return the timing of a recipient, or why there is none.

        The columns `country` and `region` count, and stay what templates may show.
        """
        numbered = channel.kind is AddressKind.PHONE
        number = address.wire.removeprefix(channel.prefix) if numbered else None
        return _time(
            self,
            address.country or recipient.variables.get("country", ""),
            recipient.variables.get("region", ""),
            find_zones(recipient.timezone, number, geographic=address.geographic),
        )


# Everybody at one place has one answer, and a list has few places.
@lru_cache(maxsize=16_384)
def _time(
    timekeeper: Timekeeper, country: str, region: str, zones: tuple[str, ...]
) -> Timing | Violation:
    place = find_place(timekeeper.message_class, country=country, region=region, zones=zones)
    if timekeeper.quiet.rule_of(place) is None:
        return NO_HOURS
    opens_at = timekeeper.quiet.opens_at(place, timekeeper.now)
    if opens_at is None:
        return _unknown(len(place.zones))
    waits = opens_at > timekeeper.now
    return Timing(place=place.as_text(), held_until=opens_at if waits else None)


def windows(
    quiet: QuietHours | None, places: Collection[str], now: datetime
) -> tuple[dict[str, datetime], dict[str, datetime | None]]:
    """Return when each of the ledger's places opens that is shut, and when the others close.

    Raises PolicyError where there are places, and nobody says what their hours are.
    """
    shut: dict[str, datetime] = {}
    closing: dict[str, datetime | None] = {}
    if not places:
        return shut, closing
    if quiet is None:
        raise PolicyError(
            "Messages of this campaign have quiet hours, and whoever sends them was not told "
            "which: nothing of the batch was sent. Send them by a run of the campaign's DAG."
        )
    for text in places:
        place = Place.parse(text)
        # A policy that has changed since the plan may leave no common hour: look again later.
        opens_at = quiet.opens_at(place, now) or now + FARTHEST
        if opens_at > now:
            shut[text] = opens_at
        else:
            closing[text] = quiet.open_until(place, now)
    return shut, closing


def _unknown(zones: int) -> Violation:
    why = f"may be in {zones} time zones that share no open hour" if zones else "tells no time zone"
    return Violation(
        code="timezone_unknown",
        message=f"The campaign has quiet hours, and the recipient {why}. Fill in the column "
        "timezone, such as America/Chicago.",
    )
