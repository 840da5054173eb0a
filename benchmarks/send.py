"""What a send task costs beside plain `requests` that records nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from benchmarks import accounts, ledgers
from benchmarks.scale import Scale
from benchmarks.servers import Server
from benchmarks.table import Table
from benchmarks.timing import Contestant, Cost, cost_of, cpu, interleave, seconds, times_as_long
from genesys_cloud.api.client import GenesysClient
from genesys_cloud.api.profiles.messaging import MESSAGES, send_body
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.messages import OutboundMessage
from genesys_cloud.workflows.pace import account_limit
from genesys_cloud.workflows.sending import THREADS, send_shard
from tests.ledger.planted import CAMPAIGN

SEQUENTIAL = "`requests`, one after the other"
THREADED = f"`requests`, {THREADS} threads"
TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Messages in each run, and how often each contestant runs."""

    messages: int
    rounds: int
    databases: Sequence[str] = ledgers.BOTH


SIZES = {
    Scale.FULL: Sizes(messages=5_000, rounds=5),
    Scale.QUICK: Sizes(messages=1_000, rounds=3),
    Scale.TINY: Sizes(messages=40, rounds=1, databases=(ledgers.SQLITE,)),
}


def figure(sizes: Sizes, folder: Path) -> Table:
    """Compare the send task with plain loops against a server that answers at once."""
    with (
        Server("benchmarks.lean_api") as api,
        closing(accounts.client(api.url, folder)) as client,
        ledgers.open_ledgers(folder, sizes.databases) as opened,
    ):
        contestants = {
            SEQUENTIAL: _plain(api.url, sizes.messages, threads=1),
            THREADED: _plain(api.url, sizes.messages, threads=THREADS),
            **{
                f"send task, {name}": _task(ledger, client, api.url, sizes.messages)
                for name, ledger in opened.items()
            },
        }
        costs = interleave(contestants, sizes.rounds)
        accepted = [key for key, _ in accounts.take_log(api.url)]
    return _table(sizes, costs, accepted)


def _plain(url: str, count: int, *, threads: int) -> Contestant:
    messages = [_message(number) for number in range(count)]
    headers = {"Authorization": "Bearer benchmark", "Content-Type": "application/json"}

    def run() -> None:
        with requests.Session() as session, ThreadPoolExecutor(threads) as pool:
            session.mount("http://", HTTPAdapter(pool_maxsize=threads))

            def post(message: OutboundMessage) -> None:
                session.post(url + MESSAGES, data=send_body(message), headers=headers).json()

            in_turn = map(post, messages) if threads == 1 else pool.map(post, messages)
            deque(in_turn, maxlen=0)

    return lambda: cost_of(run)


def _task(ledger: Ledger, client: GenesysClient, url: str, count: int) -> Contestant:
    limits = [account_limit(accounts.account(url), client.requests_per_minute)]

    def run() -> Cost:
        plan = ledgers.occurrence(ledger, count)
        (shard,) = ledgers.shards(ledger, plan, count)
        return cost_of(
            lambda: send_shard(ledger, client, shard, limits=limits, timeout_s=TIMEOUT_S)
        )

    return run


def _message(number: int) -> OutboundMessage:
    return OutboundMessage(
        message_key=f"plain-{number}",
        campaign_id=CAMPAIGN.campaign_id,
        channel=CAMPAIGN.channel,
        sender=CAMPAIGN.sender,
        recipient=f"+1202555{number:04d}",
        text="Hello",
        consent_verified=True,
    )


def _table(sizes: Sizes, costs: dict[str, list[Cost]], accepted: Sequence[str]) -> Table:
    count = sizes.messages
    rows = [
        [
            name,
            f"{count / seconds(each):,.0f}",
            f"{1e3 * cpu(each) / count:.2f}",
            f"{seconds(each) * 5_000 / count:.1f}",
            times_as_long(each, costs[SEQUENTIAL]),
            times_as_long(each, costs[THREADED]),
        ]
        for name, each in costs.items()
    ]
    durable = [key for key in accepted if not key.startswith("plain-")]
    return Table(
        title="Sending against a server that answers at once",
        columns=(
            "", "sends a second", "CPU ms a send", "seconds for 5,000", "time beside one thread",
            f"beside {THREADS} threads",
        ),
        rows=rows,
        notes=(
            f"{count:,} messages a run, median of {sizes.rounds} interleaved runs; CPU is the "
            "sending process's own, without the API's and PostgreSQL's.",
            f"The API's log holds {len(durable):,} messages of send tasks, {len(set(durable)):,} "
            "different ones.",
        ),
    )  # fmt: skip
