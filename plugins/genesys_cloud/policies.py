"""Policies: dated files under include/policies, by whose rules messages go out, or don't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from genesys_cloud.errors import PolicyError
from genesys_cloud.outbound.failure_policy import FailurePolicy
from genesys_cloud.outbound.revocation import RevocationPolicy
from genesys_cloud.settings import PROJECT_ROOT, read_clear

FAILURES = "failures.toml"
REVOCATION = "revocation.toml"

T = TypeVar("T")


def read_policy(
    include_dir: Path, name: str, parse: Callable[[str], T], *, what: str, undone: str
) -> T:
    """Read a policy of an include folder, or the project's own where that has none.

    `what` it is and what is left `undone` without it are for the error: raises PolicyError for a
    file that can't be read, or of which `parse` raises ValueError.
    """
    own = include_dir / "policies" / name
    path = own if own.exists() else PROJECT_ROOT / "include" / "policies" / name
    return read_clear(
        path,
        parse,
        lambda reason: PolicyError(
            f"The {what} in {path} can't be used, and {undone}: {reason.rstrip('.')}. Mend the "
            f"file; include/policies/{name} of the project shows its form."
        ),
    )


def read_failures(include_dir: Path) -> FailurePolicy:
    """Return which failures suppress their recipients; raises PolicyError."""
    return read_policy(
        include_dir, FAILURES, FailurePolicy.parse,
        what="failures that suppress", undone="nothing was recorded",
    )  # fmt: skip


def read_revocation(include_dir: Path) -> RevocationPolicy:
    """Return how soon a withdrawal of consent must be honoured; raises PolicyError."""
    return read_policy(
        include_dir, REVOCATION, RevocationPolicy.parse,
        what="days of revocation", undone="nothing was changed",
    )  # fmt: skip
