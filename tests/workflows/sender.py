"""A send task against the simulator whose sleeps take no time."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from genesys_cloud.api.client import GenesysClient
from genesys_cloud.ledger import campaigns
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.outbound.stats import NO_STATS, Stats
from genesys_cloud.settings import Account
from genesys_cloud.workflows.clock import Clock
from genesys_cloud.workflows.pace import limits_of
from genesys_cloud.workflows.sending import send_shard
from tests.ledger.planted import CAMPAIGN

PLENTY = 1_000_000
"""Requests a minute that no test comes near to."""


@dataclass
class Hurried:
    """A clock that runs on its own: sleeping moves it, and takes no time."""

    offset: timedelta = timedelta()
    slept: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.offset += timedelta(seconds=seconds)

    def clock(self) -> Clock:
        return Clock(now=self.now, sleep=self.sleep, jitter=lambda: 1.0)


@dataclass(kw_only=True)
class Sender:
    """Sends shards, and tells where their messages stand."""

    ledger: Ledger
    client: GenesysClient
    account: Account
    hurried: Hurried = field(default_factory=Hurried)

    def send(
        self, shard: Shard, stats: Stats = NO_STATS, per_minute: int | None = None
    ) -> Counter[str]:
        return send_shard(
            self.ledger,
            self.client,
            shard,
            limits=limits_of(
                self.account,
                PLENTY,
                campaign_id=CAMPAIGN.campaign_id,
                messages_per_minute=per_minute,
            ),
            timeout_s=self.account.timeout_s,
            clock=self.hurried.clock(),
            stats=stats,
        )

    def states(self) -> dict[str, int]:
        counted = campaigns.progress(self.ledger, CAMPAIGN.campaign_id).states
        return {state: count for state, count in counted.items() if count}
