"""How long a make target takes, from the command to its end."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from benchmarks.servers import ROOT
from benchmarks.table import Table

TIMEOUT_S = 1_800.0
DEMO = ("make", "demo", "ARGS=--exit")
SUITE = ("make", "test")


def demo(_sizes: object, _folder: Path) -> Table:
    """Time the demo once, in an environment that is set up."""
    return _timed("The demo", DEMO)


def suite(_sizes: object, _folder: Path) -> Table:
    """Time the test suite once."""
    return _timed("The test suite", SUITE)


def _timed(title: str, command: tuple[str, ...]) -> Table:
    began = time.perf_counter()
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    took = time.perf_counter() - began
    outcome = "succeeded" if ended.returncode == 0 else f"failed with {ended.returncode}"
    return Table(
        title=title,
        columns=("command", "seconds", "outcome"),
        rows=[[f"`{' '.join(command)}`", f"{took:.0f}", outcome]],
        notes=("One run, with the virtual environment made before.",),
    )
