"""Reads wait at the account's gate too: sends and reads share one limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from genesys_cloud.ledger import rate_gate
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.settings import Account
from genesys_cloud.workflows.sending import Clock, account_limit, sleep_until


def account_pace(ledger: Ledger, account: Account) -> Callable[[], None]:
    """Return what waits for the account's next free slot."""
    limits = [account_limit(account)]

    def wait() -> None:
        with ledger.write() as connection:
            slots = rate_gate.reserve(connection, limits, [1], datetime.now(UTC))
        sleep_until(slots.instants[0], Clock())

    return wait
