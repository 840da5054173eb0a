"""Processes that belong to one run: started in groups of their own, and all stopped with it."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_TIMEOUT_S = 20.0
"""How long a process may take to stop before it is killed."""


class Processes:
    """Starts processes and stops every one of them, with their children, at the end.

    `airflow standalone` would leave its children behind on SIGTERM; a process group of each one's
    own does not. What an earlier run left behind, because it was killed, is stopped first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._register = folder / "processes.txt"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self._lock = (self._folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise RuntimeError(
                f"another run uses {self._folder} already. Stop it with Ctrl-C, then start again."
            ) from None
        self._stop_leftovers()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._lock.close()

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start a process; what it prints goes to a log file of its name."""
        with self.log_of(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                env={**surroundings(), **env},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with self._register.open("a") as register:
            pid = self._running[name].pid
            register.write(f"{pid} {_began(pid)}\n")

    def log_of(self, name: str) -> Path:
        """Where a process's output goes."""
        return self._folder / f"{name}.log"

    def check(self) -> None:
        """Raise RuntimeError, with the end of its log, where a process has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                tail = self.log_of(name).read_text(errors="replace")[-2_000:]
                raise RuntimeError(
                    f"{name} ended with exit code {process.returncode}; the end of "
                    f"{self.log_of(name)}:\n{tail}"
                )

    def stop(self) -> None:
        """Stop all, the last started first."""
        for process in reversed(self._running.values()):
            _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            # Also where the leader has gone: a child of it may still hold a port.
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()
        self._register.unlink(missing_ok=True)

    def _stop_leftovers(self) -> None:
        if not self._register.exists():
            return
        for line in self._register.read_text().splitlines():
            pid, _, began = line.partition(" ")
            if began and _began(int(pid)) == began:
                _signal_group(int(pid), signal.SIGKILL)
        self._register.unlink()


def surroundings() -> dict[str, str]:
    """Return this process's environment without what a shell may have set for another Airflow."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "_AIRFLOW", "GENESYS"))
        # Without byte code each start of Airflow takes two to three times as long.
        and name != "PYTHONDONTWRITEBYTECODE"
    }


def free_port(preferred: int) -> int:
    """Return the preferred port where it is free on loopback, else any other."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no port is free on 127.0.0.1")


def _began(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; a number alone may be another's by now.

    Airflow's processes rename themselves, so their command line tells nothing. Empty where there
    is no such process, or no /proc to ask.
    """
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)
