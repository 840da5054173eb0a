"""What became of a message, in a sentence that answers whoever asks why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from genesys_cloud.outbound.messages import State, mask_numbers
from genesys_cloud.outbound.status import Status


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a message stands, and what decides whether it goes on."""

    state: State
    status: str | None
    reason_code: str | None
    reason: str | None = field(repr=False)
    campaign_state: str
    plan_digest: str | None
    approved_digest: str | None
    not_before: datetime | None
    deadline: datetime | None
    erased_at: datetime | None
    now: datetime


def verdict(one: Standing) -> str:
    """Return whether a message was sent, and why or why not; numbers in it are masked."""
    said = _SAID[one.state](one)
    if one.erased_at is not None:
        said += f" Its address and text were destroyed on {one.erased_at:%Y-%m-%d}."
    return mask_numbers(said)


def _because(one: Standing, otherwise: str) -> str:
    why = (one.reason or "").strip()
    if not why:
        return otherwise if one.reason_code is None else f"{otherwise} ({one.reason_code})"
    return why.rstrip(".")


def _waiting(one: Standing) -> str:
    if (kept_back := _campaign_keeps_back(one)) is not None:
        return kept_back
    if one.state is State.HELD:
        return f"Not sent yet: {_because(one, 'it is held')}."
    return "Not sent yet: it is planned, and waits for its turn."


def _campaign_keeps_back(one: Standing) -> str | None:
    if one.campaign_state != "active":
        return f"Not sent because the campaign is {one.campaign_state}."
    if one.deadline is not None and one.deadline <= one.now:
        return "Not sent because its deadline has passed."
    if one.plan_digest == "":
        return "Not sent yet: its campaign is being planned, or that planning has failed."
    if one.approved_digest != one.plan_digest:
        return "Not sent because nobody has approved its plan."
    if one.not_before is not None and one.not_before > one.now:
        return f"Not sent yet: the campaign begins at {one.not_before:%Y-%m-%d %H:%M} UTC."
    return None


def _accepted(one: Standing) -> str:
    status = Status.parse(one.status or "")
    if status is Status.FAILED:
        why = f" because of {one.reason_code}" if one.reason_code else ""
        return f"Sent, and it did not arrive: Genesys says that it failed{why}."
    if status is None or status is Status.PENDING:
        return "Sent: Genesys accepted it, and has said nothing more of it."
    return f"Sent: Genesys accepted it, and its last status is {status.word}."


_SAID = {
    State.PLANNED: _waiting,
    State.CLAIMED: lambda one: "Not sent yet: a worker has taken it, and is about to send it.",
    State.ATTEMPTING: lambda one: "It is being sent; nobody knows yet whether it was accepted.",
    State.HELD: _waiting,
    State.BLOCKED: lambda one: f"Not sent because: {_because(one, 'it was blocked')}.",
    State.REJECTED: lambda one: (
        f"Not sent: Genesys refused it: {_because(one, 'no reason given')}."
    ),
    State.UNKNOWN: lambda one: (
        f"Nobody knows whether it was sent: {_because(one, 'there was no clear answer')}."
    ),
    State.CANCELLED: lambda one: f"Not sent: it was cancelled: {_because(one, 'no reason given')}.",
    State.EXPIRED: lambda one: "Not sent because its deadline passed before its turn came.",
    State.ACCEPTED: _accepted,
}
