"""The receiver alone, for a public address that should not expose Airflow."""

from __future__ import annotations

import argparse

import uvicorn
from fastapi import FastAPI

from genesys_cloud.errors import ConnectionSettingsError
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.settings import Settings
from genesys_cloud.webhook.app import ReceiverConfig, create_app

PREFIX = "/webhooks"
"""Where the receiver's app is mounted, here and in Airflow."""


def run(settings: Settings, *, host: str, port: int) -> None:
    """Serve the receiver until it is told to stop; refuses to start without secret or ledger."""
    if not settings.webhook_secrets:
        raise ConnectionSettingsError(
            "The receiver has no signing secret, so it could verify nothing. Set "
            "GENESYS_WEBHOOK_SECRET; while rotating, give both secrets separated by a comma."
        )
    open_ledger(settings.ledger_url).close()
    config = ReceiverConfig(ledger_url=settings.ledger_url, secrets=settings.webhook_secrets)
    root = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    root.mount(PREFIX, create_app(lambda: config))
    uvicorn.run(root, host=host, port=port, log_level="warning", access_log=False)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="receiver", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=3000, type=int)
    arguments = parser.parse_args()
    run(Settings.from_environment(), host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
