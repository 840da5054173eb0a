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
    from dataclasses import asdict

    from genesys_cloud.errors import ConnectionSettingsError
    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
    from genesys_cloud.settings import Settings

    url = params["webhook_url"] or Settings.from_environment().webhook_url
    if not url:
        raise ConnectionSettingsError(
            "There is no address to register. Fill in `webhook_url`, or set GENESYS_WEBHOOK_URL."
        )
    with GenesysCloudHook().get_conn() as client:
        registration = client.register_webhook(url)
    log.info("the receiver %s is registered: %s", url, registration)
    return asdict(registration)
