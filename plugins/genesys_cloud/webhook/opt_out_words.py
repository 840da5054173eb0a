"""The opt-out words that the receiver goes by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genesys_cloud.outbound.opt_outs import Choice, InboundMessage, Policy
from genesys_cloud.policies import read_policy

FILE = "opt_out_words.toml"


def read_words(include_dir: Path) -> Policy:
    """Read the words of an include folder; raises PolicyError where they are not clear."""
    return read_policy(
        include_dir, FILE, Policy.parse, what="opt-out words", undone="no message was read by them"
    )


class OptOutWords:
    """Reads the words when the first message of a person comes, and once."""

    def __init__(self, include_dir: Callable[[], Path]) -> None:
        self._include_dir = include_dir
        self._policy: Policy | None = None

    def choose(self, message: InboundMessage) -> Choice | None:
        """Return the choice that a message makes, None where it makes none."""
        if self._policy is None:
            self._policy = read_words(self._include_dir())
        return self._policy.choice(message)
