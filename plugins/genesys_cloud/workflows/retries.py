"""When a task tries again: the branch of our exception says so, not a count alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import RetryDecision, RetryPolicy

from genesys_cloud.errors import (
    AuthenticationError,
    ConfigurationError,
    EndpointMissingError,
    NotApprovedError,
    PermissionDeniedError,
    PlanOvertakenError,
    RequestRejectedError,
    ThrottledError,
    UnaccountedError,
)

HOPELESS = (
    ConfigurationError,
    AuthenticationError,
    PermissionDeniedError,
    EndpointMissingError,
    RequestRejectedError,
    NotApprovedError,
    PlanOvertakenError,
    UnaccountedError,
)
"""Somebody has to change something first."""


class CampaignRetryPolicy(RetryPolicy):
    """Waits as Genesys says, fails at once where trying again is no use, else as the task says."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """Decide by the exception's place in errors.py."""
        if isinstance(exception, ThrottledError) and exception.retry_after is not None:
            return RetryDecision.retry(
                timedelta(seconds=exception.retry_after), reason="as Retry-After says"
            )
        if isinstance(exception, HOPELESS):
            return RetryDecision.fail(reason=str(exception))
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return the policy's state: it has none."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CampaignRetryPolicy:
        """Make the policy again from its state."""
        return cls()


SOON: dict[str, Any] = {
    "retry_delay": timedelta(seconds=20),
    "retry_policy": CampaignRetryPolicy(),
}
"""When a step is tried again that the ledger or Genesys was away for."""

SENDING: dict[str, Any] = {
    "retries": 5,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": CampaignRetryPolicy(),
}
"""How a task that sends is tried again: what it has sent is recorded, so it goes on."""
