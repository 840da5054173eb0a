"""The standalone receiver in a process of its own, for tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from genesys_cloud.webhook.signature import HEADER, sign
from tests.simulator.server import PATIENCE_S, wait_for

SECRET = "a-webhook-secret-for-tests"


class ReceiverProcess:
    """Starts the receiver against a ledger, and sends it signed events.

    `spool` is the folder of its spool, by default one of its own; `settings` are further variables
    of its environment; `program` is what Python runs.
    """

    def __init__(
        self,
        ledger_url: str,
        *arguments: str,
        secret: str = SECRET,
        spool: Path | None = None,
        settings: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "genesys_cloud.webhook"),
    ) -> None:
        # Bound, and not listening, for as long as the receiver lives: nobody else gets its port.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port = int(self._held.getsockname()[1])
        self._home = tempfile.TemporaryDirectory(prefix="receiver-")
        self.spool = spool or Path(self._home.name) / "spool"
        self.url = f"http://127.0.0.1:{self.port}/webhooks/genesys-messaging"
        self.health = f"http://127.0.0.1:{self.port}/webhooks/health"
        self._session = requests.Session()
        self._session.trust_env = False
        self._process = subprocess.Popen(
            [sys.executable, *program, "--port", str(self.port), *arguments],
            env={
                "PATH": os.environ["PATH"],
                "GENESYS_LEDGER_URL": ledger_url,
                "GENESYS_WEBHOOK_SECRET": secret,
                "GENESYS_WEBHOOK_SPOOL": str(self.spool),
                **(settings or {}),
            },
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._session.get(self.health, timeout=PATIENCE_S)
            except requests.ConnectionError:
                time.sleep(0.05)
            else:
                return self
        raise RuntimeError(f"the receiver does not answer: {self.stop()}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> str:
        """Stop the process, and return what it wrote to standard error."""
        self._process.terminate()
        _, written = self._process.communicate(timeout=PATIENCE_S)
        self._session.close()
        self._held.close()
        self._home.cleanup()
        return written

    def kill(self) -> None:
        """End the process as a power cut does."""
        self._process.kill()
        self._process.wait()

    def state(self) -> dict[str, Any]:
        """Return what its health check says."""
        found: dict[str, Any] = self._session.get(self.health, timeout=PATIENCE_S).json()
        return found

    def wait_until(self, status: str) -> None:
        """Wait until its health check says this."""
        wait_for(self.state, lambda state: state["status"] == status)

    def post(
        self, body: bytes, *, signature: str | None = None, secret: str = SECRET
    ) -> requests.Response:
        """Post a raw body, signed unless a signature is given."""
        header = sign(body, secret) if signature is None else signature
        return self._session.post(self.url, data=body, headers={HEADER: header}, timeout=PATIENCE_S)

    def event(
        self, event_id: str | None, message_id: str, status: str, at: str
    ) -> requests.Response:
        """Post a status event in the tutorial's form."""
        return self.post(event_body(event_id, message_id, status, at))


def event_body(event_id: str | None, message_id: str, status: str, at: str) -> bytes:
    """Return a status event in the tutorial's form."""
    body: dict[str, Any] = {
        "type": "messaging:messages:updated",
        "data": {"messageId": message_id, "status": status, "timestamp": at},
    }
    if event_id is not None:
        body = {"id": event_id, **body}
    return json.dumps(body).encode()
