"""The official SDK, and clients of ours beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import make_client, sleeps

__all__ = ["make_client", "sleeps"]


class Oracle:
    """The official SDK, in a process of its own."""

    def __init__(self, home: Path) -> None:
        # The SDK reads a configuration file of the user's, and a proxy would see every request.
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("sdk_process.py")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"

    def ask(self, operation: str, **arguments: Any) -> Any:
        """Have the SDK do something, and return what came of it."""
        assert self._process.stdin is not None
        line = json.dumps({"operation": operation, "arguments": arguments})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def misfits(self, model: str, body: Any) -> list[str]:
        """Return what in a body the SDK's model does not know."""
        found: list[str] = self.ask("misfits", kind=model, body=body)
        return found

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=120)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the SDK's process has ended; its error is above"
        return json.loads(line)


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    asked = Oracle(tmp_path_factory.mktemp("home"))
    yield asked
    asked.close()
