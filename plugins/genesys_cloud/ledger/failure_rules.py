"""The failures that suppress, as a project's policy has them."""

from __future__ import annotations

from pathlib import Path

from genesys_cloud.errors import PolicyError
from genesys_cloud.outbound.failure_policy import FailurePolicy
from genesys_cloud.settings import policy_path, read_clear

FILE = "failures.toml"


def read_failures(include_dir: Path) -> FailurePolicy:
    """Read the policy of an include folder, or the project's own where that has none.

    Raises PolicyError for a file that can't be read or is not perfectly clear.
    """
    path = policy_path(include_dir, FILE)
    return read_clear(
        path,
        FailurePolicy.parse,
        lambda reason: PolicyError(
            f"The policy {path}, which says what failures suppress, can't be used ({reason}). Mend "
            "the file; include/policies/failures.toml of the project shows its form."
        ),
    )
