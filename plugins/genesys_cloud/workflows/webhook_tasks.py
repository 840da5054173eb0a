"""The task that registers the receiver with Genesys."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import task

from genesys_cloud.workflows.actors import actor_of
from genesys_cloud.workflows.retries import CampaignRetryPolicy

log = logging.getLogger(__name__)


@task(retries=2, retry_policy=CampaignRetryPolicy())
def register(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
    """Register the receiver's address once it answers, or find that it is registered."""
    from genesys_cloud.errors import ConnectionSettingsError
    from genesys_cloud.settings import Settings
    from genesys_cloud.workflows.registering import order_of, register_receiver

    url = params["webhook_url"] or Settings.from_environment().webhook_url
    if not url:
        raise ConnectionSettingsError(
            "There is no address to register. Fill in `webhook_url`, or set GENESYS_WEBHOOK_URL."
        )
    registration = register_receiver(
        url, actor=actor_of(dag_run), verify=params["verify"], order=order_of(params)
    )
    log.info("the receiver is registered: %s", registration)
    return registration.as_json()
