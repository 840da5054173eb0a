"""Receivers to compare with: ours without group commit, a plain one, one that writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI, Request

from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.settings import Settings
from genesys_cloud.webhook import __main__ as standalone
from genesys_cloud.webhook import group_commit, signature
from genesys_cloud.webhook.events import read_event

ONE_COMMIT = "one-commit"
PLAIN = "plain"
NO_LEDGER = "no-ledger"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, message_id TEXT, status TEXT);
CREATE TABLE IF NOT EXISTS messages (message_id TEXT PRIMARY KEY, status TEXT);
"""
_INSERT = "INSERT INTO events VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_ADVANCE = "INSERT INTO messages VALUES (?, ?) ON CONFLICT DO UPDATE SET status = excluded.status"

Count = Callable[[StatusEvent], str]


def serve_one_commit(port: int) -> None:
    """Serve the project's receiver with batches of one."""
    group_commit.MOST_IN_A_BATCH = 1
    standalone.run(Settings.from_environment(), host="127.0.0.1", port=port)


def serve(count: Count, port: int) -> None:
    """Serve an app that verifies and parses as the project's does, and hands events to `count`."""
    secrets = Settings.from_environment().webhook_secrets
    app = FastAPI()

    @app.post("/webhooks/genesys-messaging")
    async def receive(request: Request) -> dict[str, str]:
        body = await request.body()
        if not signature.verify(body, request.headers.get(signature.HEADER), secrets):
            return {"result": "refused"}
        return {"result": await asyncio.to_thread(count, read_event(body))}

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
    parser.add_argument("kind", choices=(ONE_COMMIT, PLAIN, NO_LEDGER))
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.kind == ONE_COMMIT:
        serve_one_commit(arguments.port)
    elif arguments.kind == PLAIN:
        serve(in_sqlite(os.environ["PLAIN_DATABASE"]), arguments.port)
    else:
        serve(lambda _event: "applied", arguments.port)


if __name__ == "__main__":
    main()
