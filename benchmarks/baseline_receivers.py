"""Receivers to compare with: one that keeps nothing, ours in memory, ours without group commit."""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.settings import Settings
from genesys_cloud.webhook import __main__ as standalone
from genesys_cloud.webhook import group_commit, signature
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.webhook.events import read_events
from genesys_cloud.webhook.receiver import Receiver

ONE_COMMIT = "one-commit"
PLAIN = "plain"
FASTAPI_IN_MEMORY = "fastapi-in-memory"
OURS_IN_MEMORY = "ours-in-memory"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, message_id TEXT, status TEXT);
CREATE TABLE IF NOT EXISTS messages (message_id TEXT PRIMARY KEY, status TEXT);
"""
_INSERT = "INSERT INTO events VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_ADVANCE = "INSERT INTO messages VALUES (?, ?) ON CONFLICT DO UPDATE SET status = excluded.status"

Count = Callable[[StatusEvent], str]


class Memory:
    """Counts events in a set and a dictionary, which do no I/O and forget everything."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._statuses: dict[str, str] = {}
        self.waiting, self.is_full = 0, False

    def count(self, event: StatusEvent) -> str:
        """Return whether the event is new."""
        if event.event_id in self._seen:
            return "duplicate"
        self._seen.add(event.event_id)
        self._statuses[event.message_id] = event.status
        return "applied"

    async def submit(self, events: Sequence[StatusEvent]) -> Sequence[str]:
        """Count events in the place of the receiver's group commit."""
        return [self.count(event) for event in events]


def serve_one_commit(port: int) -> None:
    """Serve the project's receiver with batches of one."""
    group_commit.MOST_IN_A_BATCH = 1
    standalone.run(Settings.from_environment(), host="127.0.0.1", port=port)


def serve_ours_in_memory(port: int) -> None:
    """Serve the project's receiver, all but the transaction."""
    secrets = Settings.from_environment().webhook_secrets
    config = ReceiverConfig(
        ledger_url="",
        secrets=secrets,
        spool=Path(tempfile.gettempdir()) / "no-spool",
        spool_bytes=0,
    )
    receiver = Receiver(lambda: config)
    receiver._commits = Memory()  # type: ignore[assignment] # it has what the receiver asks for
    standalone.serve(receiver, host="127.0.0.1", port=port)


def serve(count: Count, port: int, *, in_thread: bool) -> None:
    """Serve an app that verifies and parses as the project's does, and hands events to `count`."""
    secrets = Settings.from_environment().webhook_secrets
    app = FastAPI()

    @app.post("/webhooks/genesys-messaging")
    async def receive(request: Request) -> dict[str, str]:
        body = await request.body()
        if not signature.verify(body, request.headers.get(signature.HEADER), secrets):
            return {"result": "refused"}
        (event,) = read_events(body).events
        result = await run_in_threadpool(count, event) if in_thread else count(event)
        return {"result": result}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def in_sqlite(path: str) -> Count:
    """Return what commits each event to two plain tables, as durably, with no audit trail."""
    database = sqlite3.connect(path, timeout=60, check_same_thread=False)
    database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
    one_at_a_time = threading.Lock()

    def count(event: StatusEvent) -> str:
        with one_at_a_time, database:
            fresh = database.execute(_INSERT, (event.event_id, event.message_id, event.status))
            if not fresh.rowcount:
                return "duplicate"
            database.execute(_ADVANCE, (event.message_id, event.status))
            return "applied"

    return count


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser()
    kinds = (ONE_COMMIT, PLAIN, FASTAPI_IN_MEMORY, OURS_IN_MEMORY)
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.kind == ONE_COMMIT:
        serve_one_commit(arguments.port)
    elif arguments.kind == PLAIN:
        serve(in_sqlite(os.environ["PLAIN_DATABASE"]), arguments.port, in_thread=True)
    elif arguments.kind == FASTAPI_IN_MEMORY:
        serve(Memory().count, arguments.port, in_thread=False)
    else:
        serve_ours_in_memory(arguments.port)


if __name__ == "__main__":
    main()
