"""The task that keeps suppressions and the platform's DNC lists alike."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from airflow.sdk import task

from genesys_cloud.workflows.actors import actor_of
from genesys_cloud.workflows.retries import CampaignRetryPolicy

log = logging.getLogger(__name__)


@task(retries=2, retry_policy=CampaignRetryPolicy())
def sync(params: Any = None, dag_run: Any = None) -> dict[str, int]:
    """Pull or push one list, and return how many numbers."""
    from genesys_cloud.workflows import suppression_sync

    done = suppression_sync.sync(
        params["list_id"],
        direction=params["direction"],
        channel=params["channel"],
        actor=actor_of(dag_run),
    )
    log.info("%s: %s", params["direction"], done)
    return asdict(done)
