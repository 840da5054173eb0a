"""Proves a campaign: the ledger held against what Genesys lists, recipient by recipient."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.census import Counted, census
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.deliveries import Delivery
from genesys_cloud.outbound.messages import State, mask_address
from genesys_cloud.workflows.reconciling import Lister, windows

END_STATES = (
    State.BLOCKED, State.HELD, State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.CANCELLED,
    State.EXPIRED,
)  # fmt: skip
"""Where every recipient of a finished campaign is."""

MOST_SHOWN = 50
"""How many differences a certificate names; it counts all."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What was compared and what differs; without differences the campaign is proved."""

    campaign_id: str
    at: datetime
    recipients: int
    states: Mapping[str, int]
    settled_by_person: int
    listed: int
    differences: Sequence[str]

    @property
    def proved(self) -> bool:
        """Whether everything adds up."""
        return not self.differences

    def as_json(self) -> dict[str, object]:
        """The certificate as `campaign prove --json` prints it."""
        return {
            "campaign_id": self.campaign_id,
            "at": self.at.isoformat(),
            "proved": self.proved,
            "recipients": self.recipients,
            "states": dict(self.states),
            "settled_by_person": self.settled_by_person,
            "listed": self.listed,
            "differences": list(self.differences),
        }

    def as_text(self) -> str:
        """The certificate as people read it."""
        sums = " + ".join(f"{name} {count:,}" for name, count in self.states.items())
        shown = [f"  - {difference}" for difference in self.differences[:MOST_SHOWN]]
        more = len(self.differences) - len(shown)
        return "\n".join([
            f"Campaign {self.campaign_id}, compared at {self.at:%Y-%m-%d %H:%M:%S} UTC",
            f"  recipients {self.recipients:,} = {sums}",
            f"  accepted {self.states[State.ACCEPTED]:,}, of which a person settled "
            f"{self.settled_by_person:,}; Genesys lists {self.listed:,}",
            "PROVED: everybody is accounted for, and nobody is listed twice." if self.proved
            else f"NOT PROVED: {len(self.differences):,} differences",
            *shown,
            *([f"  … and {more:,} more"] if more > 0 else []),
        ])  # fmt: skip


def prove(ledger: Ledger, lister: Lister, campaign_id: str, *, now: datetime) -> Certificate:
    """Compare every recipient of a campaign with what the API lists for it."""
    counted = census(ledger, campaign_id)
    if not counted:
        raise CampaignDefinitionError(
            f"The ledger {ledger.name} has no recipients of campaign {campaign_id!r}, so there is "
            "nothing to prove. Check the spelling."
        )
    listed = _listed(lister, counted, campaign_id)
    states = Counter(one.state for one in counted)
    return Certificate(
        campaign_id=campaign_id,
        at=now,
        recipients=len(counted),
        states={state.value: states[state] for state in END_STATES},
        settled_by_person=sum(one.settled_by_person for one in counted),
        listed=len(listed),
        differences=[
            *_unfinished(states),
            *_not_listed(counted, listed),
            *_not_accepted(counted, listed),
            *_twice(counted, listed),
        ],
    )


def _listed(lister: Lister, counted: Sequence[Counted], campaign_id: str) -> dict[str, Delivery]:
    """Return, by id, what the API lists for this campaign, dropping what is another's."""
    keys = {one.message_key for one in counted}
    ids = {one.message_id for one in counted if one.message_id}
    instants = [one.attempted_at for one in counted if one.attempted_at]
    return {
        delivery.message_id: delivery
        for start, end in windows(instants)
        for page in lister.pages(start, end)
        for delivery in page.deliveries
        if delivery.message_id in ids
        or delivery.message_key in keys
        or delivery.campaign_id == campaign_id
    }


def _unfinished(states: Mapping[State, int]) -> list[str]:
    return [
        f"{count:,} recipients are still {state.value}: run the campaign to its end"
        for state, count in states.items()
        if state not in END_STATES
    ]


def _not_listed(counted: Sequence[Counted], listed: Mapping[str, Delivery]) -> list[str]:
    return [
        f"message {one.message_key[:12]} is accepted as {one.message_id}, and is not listed"
        for one in counted
        if one.state is State.ACCEPTED
        and not one.settled_by_person
        and one.message_id not in listed
    ]


def _not_accepted(counted: Sequence[Counted], listed: Mapping[str, Delivery]) -> list[str]:
    accepted = {one.message_id for one in counted if one.state is State.ACCEPTED}
    states = {one.message_key: one for one in counted}
    differences = []
    for message_id, delivery in listed.items():
        one = states.get(delivery.message_key or "")
        if message_id in accepted or (one is not None and one.settled_by_person):
            continue
        state = one.state.value if one is not None else "not in the ledger"
        cure = "; run reconcile_sends" if one is not None and one.state is State.UNKNOWN else ""
        differences.append(f"{message_id} is listed, and its message is {state}{cure}")
    return differences


def _twice(counted: Sequence[Counted], listed: Mapping[str, Delivery]) -> list[str]:
    """Name every recipient of whom one message stands in the list more than once."""
    key_of = {one.message_id: one.message_key for one in counted if one.message_id}
    ids: dict[str, list[str]] = defaultdict(list)
    for message_id, delivery in listed.items():
        key = delivery.message_key or key_of.get(message_id)
        if key is not None:
            ids[key].append(message_id)
    addresses = {one.message_key: one.address for one in counted}
    shared = Counter(one.message_id for one in counted if one.message_id)
    return [
        f"recipient {mask_address(addresses.get(key, ''))} is listed {len(many)} times for message "
        f"{key[:12]}: {', '.join(many)}"
        for key, many in ids.items()
        if len(many) > 1
    ] + [
        f"{message_id} was given to {count} messages"
        for message_id, count in shared.items()
        if count > 1
    ]
