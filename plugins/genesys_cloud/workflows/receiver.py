"""The receiver as Airflow's API server mounts it: configured by Airflow's connections."""

from __future__ import annotations

from fastapi import FastAPI

from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
from genesys_cloud.webhook.app import ReceiverConfig, create_app


def mounted_receiver() -> FastAPI:
    """Return the receiver; connections are read at its first request, not before."""
    return create_app(_configure)


def _configure() -> ReceiverConfig:
    return ReceiverConfig(
        ledger_url=ledger_url(), secrets=GenesysCloudHook().account().webhook_secrets
    )
