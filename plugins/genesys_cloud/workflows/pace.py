"""Which limits requests obey: the account's for all, the campaign's and sender's for sends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from genesys_cloud.ledger import rate_gate
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.pacing import Limit
from genesys_cloud.settings import Account
from genesys_cloud.workflows.clock import Clock, sleep_until


def account_limit(account: Account, most: int) -> Limit:
    """Return the limit that everything which is asked of an account obeys.

    `most` requests a minute; a client knows how many, `GenesysClient.requests_per_minute`.
    """
    return Limit(name=f"account:{account.name}", most=most)


def limits_of(
    account: Account,
    most: int,
    *,
    campaign_id: str,
    messages_per_minute: int | None = None,
    sender: str = "",
    segments_per_second: int | None = None,
) -> list[Limit]:
    """Return the limits that a campaign's sends obey, the account's `most` a minute first."""
    limits = [account_limit(account, most)]
    if messages_per_minute is not None:
        limits.append(Limit(name=f"campaign:{campaign_id}", most=messages_per_minute))
    if segments_per_second is not None:
        limits.append(
            Limit(name=f"sender:{sender}", most=segments_per_second, period_s=1, unit="segment")
        )
    return limits


def account_pace(ledger: Ledger, account: Account) -> Callable[[int], None]:
    """Return what waits for the account's next free slot, given how many a minute there are.

    Reads share the account's limit with sends.
    """

    def wait(most: int) -> None:
        limits = [account_limit(account, most)]
        with ledger.write() as connection:
            slots = rate_gate.reserve(connection, limits, [1], datetime.now(UTC))
        sleep_until(slots.instants[0], Clock())

    return wait
