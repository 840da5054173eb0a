"""Proves a campaign: the ledger held against what Genesys lists, recipient by recipient.

Where Genesys lists conversations, a message is listed where its conversation is; and one to a
recipient of the campaign, in a conversation that the ledger does not know, is a difference. What
the ledger knows as a test of the campaign is listed by right, and is none of its recipients'.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from genesys_cloud.api.contract import MessageRef
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger import unknowns
from genesys_cloud.ledger.census import Counted, census
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.deliveries import Delivery, DeliveryPage
from genesys_cloud.outbound.messages import State, mask_address
from genesys_cloud.workflows.joining import Joined
from genesys_cloud.workflows.reconciling import windows

END_STATES = (
    State.BLOCKED, State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.CANCELLED,
    State.EXPIRED,
)  # fmt: skip
"""Where every recipient of a finished campaign is."""

MOST_SHOWN = 50
"""How many differences a certificate names; it counts all."""


class Witness(Protocol):
    """What lists messages by the time of their creation, and knows each by itself."""

    def pages(self, start: datetime, end: datetime) -> Iterator[DeliveryPage]:
        """Yield the pages of messages created in an interval."""

    def look_up(self, refs: Sequence[MessageRef]) -> Iterator[Delivery]:
        """Yield those of some messages that there are."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What was compared and what differs; without differences the campaign is proved."""

    campaign_id: str
    at: datetime
    recipients: int
    states: Mapping[str, int]
    settled_by_person: int
    listed: int
    tests: int
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
            "tests": self.tests,
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
            *([f"  tests {self.tests:,}, which are left out of all of this"] if self.tests else []),
            "PROVED: everybody is accounted for, and nobody is listed twice." if self.proved
            else f"NOT PROVED: {len(self.differences):,} differences",
            *shown,
            *([f"  … and {more:,} more"] if more > 0 else []),
        ])  # fmt: skip


def prove(ledger: Ledger, witness: Witness, campaign_id: str, *, now: datetime) -> Certificate:
    """Compare every recipient of a campaign with what the API lists for it."""
    counted = census(ledger, campaign_id)
    if not counted:
        raise CampaignDefinitionError(
            f"The ledger {ledger.name} has no recipients of campaign {campaign_id!r}, so there is "
            "nothing to prove. Check the spelling."
        )
    tests = census(ledger, campaign_id, tests=True)
    listed = _listed(ledger, witness, counted, tests, campaign_id)
    states = Counter(one.state for one in counted)
    return Certificate(
        campaign_id=campaign_id,
        at=now,
        recipients=len(counted),
        states={state.value: states[state] for state in END_STATES},
        settled_by_person=sum(one.settled_by_person for one in counted),
        listed=len(listed),
        tests=len(tests),
        differences=[
            *_unfinished(states),
            *_not_listed(counted, listed),
            *_not_accepted(counted, listed),
            *_twice(counted, listed),
        ],
    )


class _Sends:
    """Some messages of the ledger, by all that a listed one may be known by."""

    def __init__(self, counted: Sequence[Counted]) -> None:
        self._keys = {one.message_key for one in counted}
        self._ids = {one.message_id for one in counted if one.message_id}
        self._conversations = {one.conversation_id for one in counted if one.conversation_id}

    def has(self, delivery: Delivery) -> bool:
        return (
            delivery.message_id in self._ids
            or delivery.message_key in self._keys
            or delivery.conversation_id in self._conversations
        )


def _listed(
    ledger: Ledger,
    witness: Witness,
    counted: Sequence[Counted],
    tests: Sequence[Counted],
    campaign_id: str,
) -> dict[str, Delivery]:
    """Return, by id, what the API lists for this campaign, without another's and its tests."""
    own, tested = _Sends(counted), _Sends(tests)
    addresses = {one.address for one in counted}
    listed: dict[str, Delivery] = {}
    maybe: list[Delivery] = []
    for start, end in windows([one.attempted_at for one in counted if one.attempted_at]):
        for page in Joined(witness.pages(start, end), ledger):
            for delivery in page.deliveries:
                # In this order: a test may have opened the conversation that one went into.
                if own.has(delivery):
                    listed[delivery.message_id] = delivery
                elif tested.has(delivery):
                    continue
                elif delivery.campaign_id == campaign_id:
                    listed[delivery.message_id] = delivery
                elif delivery.conversation_id and delivery.recipient in addresses:
                    maybe.append(delivery)
    # The ledger's own of another campaign to the same person are none of this one's.
    listed |= {one.message_id: one for one in unknowns.strangers(ledger, maybe)}
    return listed | _in_older_conversations(witness, counted, listed)


def _in_older_conversations(
    witness: Witness, counted: Sequence[Counted], listed: Mapping[str, Delivery]
) -> dict[str, Delivery]:
    """Return accepted messages that went into conversations of before, whose time is not theirs."""
    known = {one.conversation_id for one in listed.values()}
    refs = [
        MessageRef(message_id=one.message_id, conversation_id=one.conversation_id)
        for one in counted
        if one.state is State.ACCEPTED
        and one.message_id
        and one.conversation_id
        and one.conversation_id not in known
    ]
    return {delivery.message_id: delivery for delivery in witness.look_up(refs)} if refs else {}


def _unfinished(states: Mapping[State, int]) -> list[str]:
    return [
        f"{count:,} recipients are still {state.value}: run the campaign to its end"
        for state, count in states.items()
        if state not in END_STATES
    ]


def _not_listed(counted: Sequence[Counted], listed: Mapping[str, Delivery]) -> list[str]:
    conversations = {one.conversation_id for one in listed.values() if one.conversation_id}
    return [
        f"message {one.message_key[:12]} is accepted as {one.message_id}, and is not listed"
        for one in counted
        if one.state is State.ACCEPTED
        and not one.settled_by_person
        and one.message_id not in listed
        and one.conversation_id not in conversations
    ]


def _not_accepted(counted: Sequence[Counted], listed: Mapping[str, Delivery]) -> list[str]:
    accepted = [one for one in counted if one.state is State.ACCEPTED]
    ids = {one.message_id for one in accepted}
    conversations = {one.conversation_id for one in accepted if one.conversation_id}
    states = {one.message_key: one for one in counted}
    differences = []
    for message_id, delivery in listed.items():
        if message_id in ids or delivery.conversation_id in conversations:
            continue
        if delivery.message_key is None and delivery.conversation_id:
            differences += _stranger(counted, delivery)
            continue
        one = states.get(delivery.message_key or "")
        if one is not None and one.settled_by_person:
            continue
        state = one.state.value if one is not None else "not in the ledger"
        cure = "; run reconcile_sends" if one is not None and one.state is State.UNKNOWN else ""
        differences.append(f"{message_id} is listed, and its message is {state}{cure}")
    return differences


def _stranger(counted: Sequence[Counted], delivery: Delivery) -> list[str]:
    """Say what a conversation may be that is listed for a recipient and not in the ledger."""
    theirs = [one for one in counted if one.address == delivery.recipient]
    if any(one.settled_by_person for one in theirs):
        return []
    unknown = any(one.state is State.UNKNOWN for one in theirs)
    cure = "run reconcile_sends" if unknown else "it went out twice, or from elsewhere"
    return [
        f"conversation {delivery.conversation_id} with recipient "
        f"{mask_address(delivery.recipient or '')} is listed, and not in the ledger; {cure}"
    ]


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
