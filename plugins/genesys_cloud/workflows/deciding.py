"""From a decided row to what the ledger keeps of it, in the task's process or in a worker's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genesys_cloud.ledger import holding, plans
from genesys_cloud.ledger.planned_rows import PlannedMessage
from genesys_cloud.outbound import segments
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.decisions import Decision, Planner
from genesys_cloud.outbound.messages import State, message_key, storable, text_digest
from genesys_cloud.outbound.quiet_hours import REASON_CODE
from genesys_cloud.outbound.seen_addresses import SeenAddresses
from genesys_cloud.outbound.templates import Template
from genesys_cloud.outbound.timing import Timekeeper

DUPLICATE = "duplicate_address"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all rows of a planning are decided by, besides the template; it can be pickled."""

    campaign: Campaign
    occurrence: str
    profile: str
    timekeeper: Timekeeper | None
    now: datetime

    def planner(self, template: Template, seen: SeenAddresses | None = None) -> Planner:
        """Return who decides the rows; raises as Planner does."""
        return Planner(
            self.campaign, template, self.profile, timekeeper=self.timekeeper, now=self.now,
            seen=seen,
        )  # fmt: skip

    def message(self, planner: Planner, row: Row) -> PlannedMessage:
        """Return what the ledger keeps of a row."""
        return message_of(self.campaign, self.occurrence, planner.decide(row))


def message_of(campaign: Campaign, occurrence: str, decision: Decision) -> PlannedMessage:
    """Return what the ledger keeps of a decided row."""
    codes = [violation.code for violation in decision.violations]
    own_address = decision.address_valid and DUPLICATE not in codes
    # A row without an address of its own is told apart by its place in the file.
    place = "" if own_address else f"\x1frow {decision.row_number}"
    sms = campaign.channel == "messaging:sms" and not decision.blocked
    held_until = decision.timing.held_until
    why = " ".join(v.message for v in decision.violations)
    why = holding.reason_until(held_until) if held_until else why
    return PlannedMessage(
        message_key=message_key(
            campaign_id=campaign.campaign_id,
            occurrence=occurrence,
            recipient_id=decision.recipient_id,
            channel=campaign.channel,
            address=decision.address + place,
        ),
        address_key=plans.address_key(campaign.channel, decision.address) if own_address else None,
        row_number=decision.row_number,
        recipient_id=storable(decision.recipient_id, most=320),
        address=storable(decision.address, most=320),
        language=decision.language,
        text=decision.text,
        text_digest=text_digest(decision.text),
        segments=segments.count(decision.text).segments if sms else None,
        state=_state(decision),
        reason_code=codes[0] if codes else REASON_CODE if held_until else None,
        reason=storable(why, most=1_000) or None,
        consent_proof=decision.consent_proof,
        consent_expires_at=decision.consent_expires_at,
        place=decision.timing.place,
        held_until=held_until,
        country=decision.country,
    )


def _state(decision: Decision) -> State:
    if decision.blocked:
        return State.BLOCKED
    return State.PLANNED if decision.timing.held_until is None else State.HELD
