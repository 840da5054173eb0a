"""How far messages have come, added up from the counts that triggers keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.status import Status

FAILED = "failed"
"""What stands for a state where a message was accepted and then failed to arrive."""

UNSPECIFIED = "unspecified"
"""What stands for a reason where none was given."""

_SENT = (Status.SENT.word, Status.DELIVERED.word, Status.READ.word)
_EXPLAINED = (
    State.BLOCKED, State.HELD, State.REJECTED, State.UNKNOWN, State.CANCELLED, State.EXPIRED,
)  # fmt: skip
_SETTLED = (State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.CANCELLED, State.EXPIRED)


class Count(NamedTuple):
    """So many messages in one place; '' is no reason, and no status."""

    state: str
    reason_code: str
    status: str
    messages: int


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """Messages by state, reason and status; `states` add up to `recipients`.

    What a worker has in hand is among the planned. `reasons` has the reasons of each state that has
    any, the most frequent first; under `failed` those of messages that were accepted and failed.
    `statuses` is where each accepted message is now.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def recipients(self) -> int:
        """All rows of the contact list."""
        return sum(self.states.values())

    @property
    def ready(self) -> int:
        """Those whom planning let through, wherever they are now."""
        return self.recipients - self.states.get(State.BLOCKED, 0)

    @property
    def accepted(self) -> int:
        """Those whom Genesys took."""
        return self.states.get(State.ACCEPTED, 0)

    @property
    def sent(self) -> int:
        """Those who were sent on, and did not fail since."""
        return sum(self.statuses.get(word, 0) for word in _SENT)

    @property
    def delivered(self) -> int:
        """Those who reached the recipient's device, read ones among them."""
        return sum(self.statuses.get(word, 0) for word in _SENT[1:])

    @property
    def read(self) -> int:
        """Those who were read."""
        return self.statuses.get(Status.READ.word, 0)

    @property
    def failed(self) -> int:
        """Those who were accepted and failed to arrive."""
        return self.statuses.get(Status.FAILED.word, 0)

    @property
    def unreached(self) -> int:
        """Those whose message was rejected, or failed to arrive."""
        return self.failed + self.states.get(State.REJECTED, 0)

    @property
    def settled(self) -> int:
        """Those of the ready with whom sending is over."""
        return sum(self.states.get(state, 0) for state in _SETTLED)

    @property
    def left(self) -> int:
        """Those who are still to be sent to, held ones among them."""
        return self.ready - self.settled

    @property
    def done(self) -> float | None:
        """The share of the ready with whom sending is over, from 0 to 1; None where none is."""
        return self.settled / self.ready if self.ready else None


def funnel(counts: Iterable[Count]) -> Funnel:
    """Add counts up."""
    states: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for one in counts:
        states[one.state] += one.messages
        if one.status:
            statuses[one.status] += one.messages
        if (kind := kind_of(one)) is not None:
            code = one.reason_code or UNSPECIFIED
            reasons.setdefault(kind, Counter())[code] += one.messages
    return Funnel(
        states=+states,
        statuses=+statuses,
        reasons={kind: dict((+codes).most_common()) for kind, codes in reasons.items() if +codes},
    )


def kind_of(one: Count) -> str | None:
    """Return under which name a count's reason is shown, None where it needs none."""
    if one.state in _EXPLAINED:
        return one.state
    return FAILED if one.status == Status.FAILED.word else None
