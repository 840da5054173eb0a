"""The task that destroys what the retention policy no longer allows to be kept."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import task

from genesys_cloud.workflows.actors import actor_of
from genesys_cloud.workflows.retries import CampaignRetryPolicy

log = logging.getLogger(__name__)


@task(retries=2, retry_policy=CampaignRetryPolicy())
def retain(dag_run: Any = None) -> dict[str, int]:
    """Apply the retention policy, and return how many rows of each class were destroyed."""
    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger import retention
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.ledger.retention_policy import policy_file, read_policy
    from genesys_cloud.settings import Settings

    policy = read_policy(policy_file(Settings.from_environment().include_dir))
    ledger = open_ledger(ledger_url())
    done = retention.apply(ledger, policy, actor=actor_of(dag_run), now=datetime.now(UTC))
    ledger.close()
    log.info("retention of %s: %s", policy.dated, done)
    return dict(done)
