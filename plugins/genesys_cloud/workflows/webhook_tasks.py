"""The task that registers the receiver with Genesys."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import task

from genesys_cloud.workflows.retries import CampaignRetryPolicy

log = logging.getLogger(__name__)


@task(retries=2, retry_policy=CampaignRetryPolicy())
def register(params: Any = None) -> dict[str, Any]:
    """Register the receiver's address, or find that it is registered."""
    from genesys_cloud.errors import ConnectionSettingsError
    from genesys_cloud.settings import Settings

    url = params["webhook_url"] or Settings.from_environment().webhook_url
    if not url:
        raise ConnectionSettingsError(
            "There is no address to register. Fill in `webhook_url`, or set GENESYS_WEBHOOK_URL."
        )
    registration = register_receiver(url)
    log.info("the receiver %s is registered: %s", url, registration)
    return registration


def register_receiver(url: str) -> dict[str, Any]:
    """Have events go to `url`, signed with the connection's first webhook secret if it has one."""
    from dataclasses import asdict

    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook

    hook = GenesysCloudHook()
    secret = next(iter(hook.account().webhook_secrets), None)
    with hook.get_conn() as client:
        return asdict(client.register_webhook(url, secret=secret))
