"""The receiver alone, for a public address that should not expose Airflow."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import uvicorn

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.outbound.stats import NO_STATS, Stats
from genesys_cloud.settings import Settings
from genesys_cloud.webhook.answers import Send
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.webhook.intake import Receive
from genesys_cloud.webhook.receiver import Receiver, Scope

log = logging.getLogger(__name__)

PREFIX = "/webhooks"
"""Where the receiver's app is mounted, here and in Airflow."""


def run(settings: Settings, *, host: str, port: int, stats: Stats = NO_STATS) -> None:
    """Serve the receiver until it is told to stop.

    It refuses to start without a secret or a key, unless unsigned events are allowed by name, and
    with a ledger of another schema; a ledger that is away is waited for while events go to the
    spool.
    """
    config = ReceiverConfig.from_settings(
        settings,
        ledger_url=settings.ledger_url,
        secrets=settings.webhook_secrets,
        api_keys=settings.webhook_api_keys,
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        open_ledger(config.ledger_url).close()
    except LedgerUnavailableError as error:
        log.error("status events go to the spool until the ledger is back: %s", error)
    receiver = Receiver(lambda: config, stats)
    receiver.begin()
    try:
        serve(receiver, host=host, port=port)
    finally:
        receiver.close()


def serve(receiver: Receiver, *, host: str, port: int) -> None:
    """Serve a receiver below its prefix, with nothing around it."""
    uvicorn.run(
        below(PREFIX, receiver), host=host, port=port, lifespan="off", ws="none",
        log_level="warning", access_log=False, server_header=False,
    )  # fmt: skip


def below(prefix: str, receiver: Receiver) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the receiver as an app whose paths begin with a prefix."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["root_path"] = prefix
        await receiver(scope, receive, send)

    return app


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="receiver", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=3000, type=int)
    parser.add_argument(
        "--allow-unsigned",
        action="store_true",
        help="count events that anybody may have sent, where there is no secret",
    )
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    if arguments.allow_unsigned:
        settings = replace(settings, allow_unsigned_events=True)
    run(settings, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
