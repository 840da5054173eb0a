"""The account at the lean API: its client, and what the API's own log says."""

from __future__ import annotations

from pathlib import Path

import requests

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.settings import Account

UNLIMITED = 60_000_000
"""Requests a minute: a slot each microsecond, so that pacing takes no time."""


def account(url: str) -> Account:
    """Return the account at a server."""
    return Account(
        name="benchmark",
        client_id="benchmark",
        client_secret="benchmark",
        base_url=url,
        profile="messaging",
        requests_per_minute=UNLIMITED,
    )


def client(url: str, state_dir: Path) -> GenesysClient:
    """Return a client that has its token already."""
    made = GenesysClient(account(url), state_dir=state_dir)
    made.authenticate()
    return made


def take_log(url: str) -> list[tuple[str, float]]:
    """Return message key and instant of what the API took since the last call, in order."""
    answer = requests.get(f"{url}/log", timeout=60)
    answer.raise_for_status()
    return [(key, instant) for key, instant in answer.json()]
