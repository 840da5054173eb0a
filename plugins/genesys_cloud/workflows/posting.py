"""Posts one message, and says what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from genesys_cloud.errors import (
    ApiError,
    CampaignError,
    NotSentError,
    OutcomeUnknownError,
    RequestRejectedError,
    ThrottledError,
)
from genesys_cloud.ledger.outcomes import LATE, NOT_ATTEMPTED, Outcome
from genesys_cloud.ledger.sends import Claim
from genesys_cloud.outbound.messages import OutboundMessage, Receipt, State, storable
from genesys_cloud.outbound.status import Status
from genesys_cloud.workflows.clock import Clock, sleep_until


class Gateway(Protocol):
    """What sends one message; raises the errors of errors.py."""

    def send(self, message: OutboundMessage) -> Receipt:
        """Send it once, and return what Genesys answered."""


@dataclass(kw_only=True)
class Attempt:
    """What the threads that post one batch share; `waits` are how long answers took, in s."""

    gateway: Gateway
    clock: Clock
    deadline: datetime
    lateness: timedelta
    stop: Event = field(default_factory=Event)
    errors: list[Exception] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def post(self, claim: Claim, slot: datetime) -> Outcome:
        """Post one message at its slot, unless another one of the batch met an obstacle before."""
        sleep_until(slot, self.clock)
        # A process that was stopped in its sleep wakes up here; its lease may have ended meanwhile.
        now = self.clock.now()
        if self.stop.is_set() or now >= min(filter(None, (self.deadline, claim.closes_at))):
            return Outcome(claim=claim, state=State.PLANNED, reason_code=NOT_ATTEMPTED)
        if now > slot + self.lateness:  # it would crowd a window that its slot was not counted in
            return Outcome(claim=claim, state=State.PLANNED, reason_code=LATE)
        try:
            receipt = self.gateway.send(claim.message)
        except Exception as error:
            outcome = outcome_of(claim, error)
            if outcome.state is State.PLANNED or not isinstance(error, CampaignError):
                self.errors.append(error)
                self.stop.set()
            return outcome
        self.waits.append((self.clock.now() - now).total_seconds())
        if receipt.pause_s is not None:
            self.pauses.append(receipt.pause_s)
        return Outcome(
            claim=claim,
            state=State.ACCEPTED,
            message_id=receipt.message_id,
            conversation_id=receipt.conversation_id,
            status=status_of(receipt).word,
        )


def status_of(receipt: Receipt) -> Status:
    """Return where a message stands that Genesys accepted: one of our words, whatever its own is.

    A failure in a conversation is asked about first: an answer to a send does not say whether the
    person opted out, and a message that failed is never asked about.
    """
    status = Status.parse(receipt.status) or Status.QUEUED
    asked_about = receipt.conversation_id is not None and receipt.message_id
    return Status.QUEUED if status is Status.FAILED and asked_about else status


def outcome_of(claim: Claim, error: Exception) -> Outcome:
    """Say what an error means for the message; one we do not know may have come after bytes."""
    correlation_id = error.correlation_id if isinstance(error, ApiError) else None
    state, code = State.UNKNOWN, "no_clear_answer"
    if isinstance(error, RequestRejectedError):
        state, code = State.REJECTED, error.code or "rejected_by_genesys"
    elif isinstance(error, ThrottledError):
        state, code = State.PLANNED, "throttled"
    elif isinstance(error, (NotSentError, ApiError)):
        state, code = State.PLANNED, "not_sent"
    elif not isinstance(error, OutcomeUnknownError):
        code = "sender_failed"
    return Outcome(
        claim=claim,
        state=state,
        reason_code=code,
        reason=storable(str(error), most=500),
        correlation_id=storable(correlation_id, most=200) if correlation_id else None,
    )
