"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from statistics import median

from benchmarks import ledgers

_FSYNCS = 25


def describe() -> str:
    """Return the machine and its versions in a sentence."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{os.cpu_count()} cores, {memory_gb:.0f} GB of memory, {fsync_ms():.1f} ms for a durable "
        f"write; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"PostgreSQL {_postgres_version()}; load {os.getloadavg()[0]:.1f} before the start"
    )


def fsync_ms() -> float:
    """Return what a durable write of 4 KB costs where the ledgers of the figures lie."""
    with tempfile.NamedTemporaryFile() as file:
        return median(_write_ms(file.fileno()) for _ in range(_FSYNCS))


def _write_ms(descriptor: int) -> float:
    began = time.perf_counter()
    os.write(descriptor, b"x" * 4096)
    os.fsync(descriptor)
    return 1e3 * (time.perf_counter() - began)


def _postgres_version() -> str:
    try:
        return str(ledgers.postgres_package().TARGET_POSTGRES_VERSION)
    except ImportError:
        return "not installed"
