"""A simulator in a process of its own, for any test of the project."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from requests import Response, Session

PLUGINS = Path(__file__).parents[2] / "plugins"
LISTENS = "simulator listens on "
PART = 10_000
PATIENCE_S = 120.0
"""How long a slow machine may take over what is quick: only a test that fails waits so long."""

T = TypeVar("T")


class SimulatorProcess:
    """Starts `python -m genesys_cloud.simulator`, looks behind its API, stops it.

    Options are those of the command line, with underscores: `SimulatorProcess(speed=60)`.
    """

    client_id = "sim-client"
    client_secret = "sim-secret"
    webhook_secret = "sim-webhook-secret"

    def __init__(self, *, start_timeout_s: float = PATIENCE_S, **options: object) -> None:
        self._options: dict[str, object] = {"port": 0} | options
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._admin = Session()
        self._admin.trust_env = False
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._running().pid

    def start(self) -> None:
        """Start the process and wait until it listens; raises RuntimeError when it does not."""
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "genesys_cloud.simulator", *arguments],
            # A scrubbed environment: what a developer has exported decides nothing here.
            env={"PYTHONPATH": str(PLUGINS), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read_lines, args=(self._process,), daemon=True).start()
        try:
            self.url = self._announced_url()
        except RuntimeError:
            self.stop()
            raise

    def stop(self, timeout_s: float = PATIENCE_S) -> int:
        """End the process as an operator does, with SIGTERM, and return its exit code."""
        process = self._running()
        self._admin.close()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.wait()

    def kill(self) -> None:
        """End the process as a power cut does; `start` brings up one that remembers nothing."""
        self._admin.close()
        self._running().kill()
        self._running().wait()

    def messages(self) -> list[dict[str, Any]]:
        """Return its own log of what it accepted, in order."""
        return self._all("messages", "entities")[0]

    def requests(self) -> dict[str, Any]:
        """Return `counts` by endpoint and status, and the ordered list of `requests`."""
        listed, part = self._all("requests", "requests")
        return part | {"requests": listed}

    def stats(self) -> dict[str, Any]:
        """Return how far messages and events are."""
        return dict(self._get("stats"))

    def faults(self, rules: Sequence[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Put rules in force when there are any, and return those in force with counters."""
        if rules is not None:
            self._call("POST", "faults", json=list(rules))
        return list(self._get("faults"))

    def clear_faults(self) -> None:
        """Take every rule out of force."""
        self._call("DELETE", "faults")

    def load(self, entities: Sequence[dict[str, Any]]) -> None:
        """Import messages with their dates and statuses, as the list endpoint shows them."""
        self._call("POST", "messages", json=list(entities))

    def revoke_tokens(self) -> None:
        """Revoke every access token."""
        self._call("POST", "tokens/revoke")

    def reset(self) -> None:
        """Have it forget everything."""
        self._call("POST", "reset")

    def token(self, scope: str | None = None) -> str:
        """Return an access token, for a test that talks to the API itself."""
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        credentials = (
            str(self._options.get("client_id", self.client_id)),
            str(self._options.get("client_secret", self.client_secret)),
        )
        answer = self._admin.post(
            f"{self.url}/oauth/token", data=form, auth=credentials, timeout=30
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def wait_until_quiet(self, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """Return the stats once no status changes and no events are to come."""
        return wait_for(
            self.stats,
            lambda stats: not stats["changesPending"] and not stats["eventsPending"],
            timeout_s,
            pause_s=0.1,
        )

    def _all(self, what: str, key: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return a list that is read in parts, and the last part."""
        listed: list[dict[str, Any]] = []
        while True:
            part = self._get(what, offset=len(listed), limit=PART)
            listed += part[key]
            if not part[key] or len(listed) >= part["total"]:
                return listed, part

    def _get(self, what: str, **query: object) -> Any:
        return self._call("GET", what, params=query).json()

    def _call(self, method: str, what: str, **arguments: Any) -> Response:
        address = f"{self.url}/_sim/{what}"
        answer = self._admin.request(method, address, timeout=60, **arguments)
        if not answer.ok:
            raise RuntimeError(f"{method} /_sim/{what}: {answer.status_code} {answer.text}")
        return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("the simulator was not started")
        return self._process

    def _read_lines(self, process: subprocess.Popen[str]) -> None:
        lines = self._lines
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                lines.put(line.rstrip())
        lines.put(None)

    def _announced_url(self) -> str:
        deadline = time.monotonic() + self._start_timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise RuntimeError("the simulator ended before it listened")
            if line.startswith(LISTENS):
                return line.removeprefix(LISTENS).split()[0]
        raise RuntimeError(f"the simulator did not listen within {self._start_timeout_s} s")


def wait_for(
    look: Callable[[], T],
    good: Callable[[T], bool],
    timeout_s: float = PATIENCE_S,
    pause_s: float = 0.02,
) -> T:
    """Look until what is seen is good, and return it; raises TimeoutError with what was seen."""
    deadline = time.monotonic() + timeout_s
    while not good(seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s} s still {seen!r}")
        time.sleep(pause_s)
    return seen
