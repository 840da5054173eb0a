"""Functions in processes of their own, so that no import or memory of another run counts."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SPAWN = multiprocessing.get_context("spawn")
_FORK = multiprocessing.get_context("fork")


def in_fresh_process(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of a module in a new Python and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        return pool.submit(work, *args, **kwargs).result()


def in_fork(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a copy of this process, imports and all, and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=_FORK) as pool:
        return pool.submit(work, *args, **kwargs).result()


def memory_mb(process: int | None = None) -> float:
    """Return the memory of a process, this one where none is named, in MB."""
    return _status("VmRSS", process)


def forget_peak() -> None:
    """Let the peak begin anew at what this process uses now."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Return the most memory that this process had since its start or `forget_peak`, in MB."""
    return _status("VmHWM")


def _status(name: str, process: int | None = None) -> float:
    lines = Path(f"/proc/{process or 'self'}/status").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(kilobytes) / 1e3
