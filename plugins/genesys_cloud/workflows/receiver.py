"""The receiver as Airflow's API server mounts it: configured by Airflow's connections."""

from __future__ import annotations

from fastapi import FastAPI

from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
from genesys_cloud.settings import Settings
from genesys_cloud.webhook.app import create_app
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.workflows.stats import server_stats


def mounted_receiver() -> FastAPI:
    """Return the receiver; connections are read at its first request, and again once a minute."""
    return create_app(_configure, server_stats())


def _configure() -> ReceiverConfig:
    settings = Settings.from_environment()
    account = GenesysCloudHook().account()
    return ReceiverConfig.from_settings(
        settings,
        ledger_url=ledger_url(),
        secrets=account.webhook_secrets,
        api_keys=account.webhook_api_keys,
    )
