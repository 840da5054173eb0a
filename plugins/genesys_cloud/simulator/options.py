"""What a simulator can be told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCOPES = (
    "messaging:messages:write",
    "messaging:messages:read",
    "webhook:write",
    "analytics:read",
)

PERMISSIONS = (
    "conversation:message:create",
    "conversation:message:view",
    "analytics:conversationDetail:view",
    "responses:response:view",
    "outbound:dncList:view",
    "outbound:dncList:add",
    "outbound:dnc:view",
    "outbound:dnc:add",
    "outbound:dnc:edit",
    "messaging:integration:add",
    "messaging:integration:view",
    "messaging:integration:edit",
    "messaging:integration:delete",
    "integrations:integration:add",
    "integrations:integration:view",
    "integrations:integration:edit",
    "integrations:integration:delete",
    "processautomation:trigger:add",
    "processautomation:trigger:view",
    "processautomation:trigger:delete",
)

PROFILES = ("both", "messaging", "agentless")
_SHARES = (
    *("failure_share", "read_share", "duplicate_share", "reorder_share", "delay_share"),
    *("loss_share", "slow_share", "active_share", "approximate_totals"),
)
_WEBHOOK_NUMBERS = ("webhook_timeout_s", "webhook_retry_s", "webhook_concurrency")


def _option(default: Any, explanation: str) -> Any:
    """Return a field whose explanation is also its help text on the command line."""
    return field(default=default, metadata={"help": explanation})


@dataclass(frozen=True, kw_only=True)
class SimulatorOptions:
    """Everything that changes how the simulator behaves; each field is a command line option."""

    host: str = _option("127.0.0.1", "address to listen on")
    port: int = _option(8900, "port to listen on; 0 takes a free one and prints it")
    client_id: str = _option("sim-client", "the OAuth client id that is known")
    client_secret: str = _option("sim-secret", "the secret of that client")
    scopes: str = _option(" ".join(SCOPES), "scopes that the client may have, space separated")
    expires_in: int = _option(3599, "life of an access token, seconds")
    profiles: str = _option("both", "what is served: both, messaging or agentless")
    platform_expires_in: int = _option(86399, "its life when profiles is agentless, seconds")
    permissions: str = _option(
        " ".join(PERMISSIONS), "permissions of the client's roles, for the agentless profile"
    )
    webhook_secret: str = _option("sim-webhook-secret", "signs events unless a webhook has its own")
    requests_per_minute: int = _option(300, "requests that one token may make in a minute")
    rate_window_s: float = _option(60.0, "window of that limit, seconds; the rate stays the same")
    latency_ms: float = _option(0.0, "added to each API answer, after the request took effect")
    seed: int = _option(1, "decides every message's life cycle and every share of chance")
    speed: float = _option(1.0, "how many seconds of a message's life pass in one second")
    failure_share: float = _option(0.03, "share of messages that end as failed")
    read_share: float = _option(0.4, "share of delivered messages that are read")
    duplicate_share: float = _option(0.03, "share of status events that are pushed twice")
    reorder_share: float = _option(0.02, "share of status events that arrive after the next one")
    delay_share: float = _option(0.02, "share of status events that arrive minutes late")
    loss_share: float = _option(0.0, "share of status events that are never pushed")
    slow_share: float = _option(0.0, "share of agentless messages that take hours to days")
    active_share: float = _option(0.0, "share of addresses that are in a conversation already")
    active_status: int = _option(400, "HTTP status of a send into such a conversation: 400 or 409")
    deprecated_fields: bool = _option(False, "answer textBody and messagingTemplate as API 10596")
    approximate_totals: float = _option(0.0, "share by which totalHits may be off")
    shifting_pages: bool = _option(False, "have conversations arrive while pages are read")
    job_seconds: float = _option(1.0, "how long an analytics job takes, whatever the speed")
    datalake_lag_s: float = _option(0.0, "how far analytics jobs are behind, seconds")
    webhook_timeout_s: float = _option(10.0, "how long a receiver may take to answer, seconds")
    webhook_retry_s: float = _option(5.0, "first gap between tries; doubles, and speed shortens it")
    webhook_concurrency: int = _option(32, "deliveries in flight at once")

    def __post_init__(self) -> None:
        """Refuse what can not work; raises ValueError."""
        if self.profiles not in PROFILES:
            raise ValueError(f"profiles must be one of {', '.join(PROFILES)}")
        if self.active_status not in (400, 409):
            raise ValueError("active_status must be 400 or 409")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1")
        for name in ("speed", "requests_per_minute", "rate_window_s", *_WEBHOOK_NUMBERS):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")
