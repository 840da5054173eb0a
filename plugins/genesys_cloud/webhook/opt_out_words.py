"""The opt-out words that the receiver goes by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genesys_cloud.errors import ConfigurationError
from genesys_cloud.outbound.opt_outs import Choice, InboundMessage, Policy
from genesys_cloud.settings import policy_path, read_clear

FILE = "opt_out_words.toml"


def read_policy(path: Path) -> Policy:
    """Read the words; raises ConfigurationError where they can't be read or are not clear."""
    return read_clear(
        path,
        Policy.parse,
        lambda reason: ConfigurationError(
            f"The opt-out words {path} can't be read ({reason}). Mend the file; "
            "include/policies/opt_out_words.toml of the project shows its form."
        ),
    )


class OptOutWords:
    """Reads the words when the first message of a person comes, and once."""

    def __init__(self, include_dir: Callable[[], Path]) -> None:
        self._include_dir = include_dir
        self._policy: Policy | None = None

    def choose(self, message: InboundMessage) -> Choice | None:
        """Return the choice that a message makes, None where it makes none."""
        if self._policy is None:
            self._policy = read_policy(policy_path(self._include_dir(), FILE))
        return self._policy.choice(message)
