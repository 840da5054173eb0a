"""Servers in processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.fresh import memory_mb
from demo.processes import free_port

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 60.0


class Server:
    """Runs `python -m MODULE ARGUMENTS --port PORT` as long as its block, or until `stop`."""

    def __init__(self, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.port = free_port(0)
        self.url = f"http://127.0.0.1:{self.port}"
        # A scrubbed environment: what a developer has exported decides nothing here.
        base = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--port", str(self.port)],
            env=base | dict(env or {}),
        )

    def __enter__(self) -> Self:
        self.wait()
        return self

    def wait(self) -> None:
        """Wait until it listens; raises RuntimeError where it does not."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        raise RuntimeError(f"{self._module} does not listen")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def cpu_s(self) -> float:
        """Return the processor time that the process has used, in seconds."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the memory that the process has now, in MB."""
        return memory_mb(self._process.pid)

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
