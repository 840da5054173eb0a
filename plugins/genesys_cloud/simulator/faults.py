"""Faults on order: which request goes wrong, and how.

A rule strikes a request that has a valid token and a free slot in the rate limit, so that
`times: 1` is never spent on a 401 or a 429 of the simulator's own. A message that is not valid
answers 400 where the fault would have accepted it.

| fault          | what the client sees                                  | accepted            |
|----------------|-------------------------------------------------------|---------------------|
| `status`       | `status` (503), with `headers` and `body` when given  | with `after_accept` |
| `drop_before`  | the connection closes without an answer               | no                  |
| `drop_after`   | the same                                              | yes                 |
| `hang`         | the right answer, after `delay_s`                     | after or before it  |
| `garbage`      | success, and a body that is not JSON                  | with `after_accept` |
| `html`         | success, and a page as a proxy shows it               | with `after_accept` |
| `empty`        | success, and no body                                  | with `after_accept` |
| `truncate`     | success, and a body that breaks off                   | with `after_accept` |
| `revoke_token` | 401, and the token is worth nothing from then on      | no                  |
| `token_limit`  | 400 `invalid_request`, the token endpoint's own limit | no                  |

`delay_s` holds back any of them. `on` is `any`, `token`, or an endpoint: `send`, `list`, `get`,
`webhook` (its registration) of the messaging profile; `agentless` (the send), `details` (of
messages), `analytics`, `job`, `limits`, `responses`, `dnc`, `integrations` (registrations) of the
agentless one. `times`, `every` and `share` say how often; `match.to` names a recipient.
"""

from __future__ import annotations

import json
import random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from genesys_cloud.simulator.channels import address_of
from genesys_cloud.simulator.exchange import Call

Endpoint = Literal[
    "any",
    "token",
    "send",
    "list",
    "get",
    "webhook",
    "agentless",
    "details",
    "analytics",
    "job",
    "limits",
    "responses",
    "dnc",
    "integrations",
]
Fault = Literal[
    "status",
    "drop_before",
    "drop_after",
    "hang",
    "garbage",
    "html",
    "empty",
    "truncate",
    "revoke_token",
    "token_limit",
]


class Match(BaseModel):
    """Which messages a rule is about; an address with or without its prefix."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = None


class FaultRule(BaseModel):
    """One fault: where it strikes, what it does, how often."""

    model_config = ConfigDict(extra="forbid")

    on: Endpoint = "any"
    fault: Fault
    status: int | None = Field(default=None, ge=200, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    times: int | None = Field(default=None, ge=1)
    every: int = Field(default=1, ge=1)
    share: float = Field(default=1.0, ge=0, le=1)
    match: Match = Field(default_factory=Match)
    after_accept: bool = False
    delay_s: float = Field(default=0.0, ge=0)


class ArmedFault:
    """A rule with its counters: how many requests it has seen, how often it struck."""

    def __init__(self, rule: FaultRule, chance: random.Random) -> None:
        self.rule = rule
        self.seen = 0
        self.struck = 0
        self._chance = chance

    def strikes(self, endpoint: str, call: Call) -> bool:
        """Return whether this request goes wrong, and count it."""
        if not self._concerns(endpoint, call):
            return False
        self.seen += 1
        spent = self.rule.times is not None and self.struck >= self.rule.times
        # The draw is made in any case, so that request n meets the same chance in every run.
        drawn = self._chance.random() < self.rule.share
        if spent or not drawn or self.seen % self.rule.every:
            return False
        self.struck += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """Return the rule and its counters."""
        return self.rule.model_dump() | {"seen": self.seen, "struck": self.struck}

    def _concerns(self, endpoint: str, call: Call) -> bool:
        if self.rule.on not in ("any", endpoint):
            return False
        return self.rule.match.to is None or self.rule.match.to in _recipients(call)


class FaultBook:
    """The rules in force; the first that strikes decides."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.armed: list[ArmedFault] = []

    def arm(self, rules: list[FaultRule]) -> None:
        """Put rules in force after those that are."""
        for rule in rules:
            chance = random.Random(f"{self._seed} fault {len(self.armed)}")  # noqa: S311
            self.armed.append(ArmedFault(rule, chance))

    def pick(self, endpoint: str, call: Call) -> FaultRule | None:
        """Return the rule that strikes this request, if any."""
        return next((fault.rule for fault in self.armed if fault.strikes(endpoint, call)), None)


def _recipients(call: Call) -> list[str]:
    try:
        payload = json.loads(call.body)
    except ValueError:
        return []
    if not isinstance(payload, dict):
        return []
    to = payload.get("to")
    addresses = [address_of(party) for party in to] if isinstance(to, list) else []
    addresses += [str(payload[key]) for key in ("toAddress", "externalContactId") if key in payload]
    return addresses + [address.partition(":")[2] for address in addresses if ":" in address]
