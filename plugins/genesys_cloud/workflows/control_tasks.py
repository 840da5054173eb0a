"""The tasks by which people steer campaigns and settle what is unknown from the Airflow UI."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import task

from genesys_cloud.workflows.actors import actor_of
from genesys_cloud.workflows.retries import CampaignRetryPolicy

log = logging.getLogger(__name__)

ACTIONS = {"pause": "paused", "resume": "active", "cancel": "cancelled"}
"""What a person asks for, and the state that it puts a campaign into."""

ACTION_WORDS = {
    "pause": "Pause: nothing goes out until it is resumed",
    "resume": "Resume: it goes on when its DAG is started again",
    "cancel": "Cancel: what has not gone out never does",
}
"""What the form's drop-down says."""


@task(retries=2, retry_policy=CampaignRetryPolicy())
def reconcile(params: Any = None) -> dict[str, int]:
    """Settle unknown sends and lost statuses by what Genesys lists, and say what is left."""
    from dataclasses import asdict
    from datetime import timedelta

    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
    from genesys_cloud.ledger import counts, events
    from genesys_cloud.workflows import asking, reconciling
    from genesys_cloud.workflows.pace import account_pace
    from genesys_cloud.workflows.recording import recording_ledger
    from genesys_cloud.workflows.stats import airflow_stats
    from genesys_cloud.workflows.task_metrics import count_reconciled

    hook = GenesysCloudHook()
    ledger = recording_ledger()
    with hook.get_conn(pace=account_pace(ledger, hook.account())) as client:
        campaign_id, now = params["campaign_id"], datetime.now(UTC)
        done = reconciling.reconcile(ledger, client, now=now, campaign_id=campaign_id)
        first = timedelta(minutes=params["ask_after_minutes"])
        asked = asking.ask_client(ledger, client, now=now, first=first, campaign_id=campaign_id)
    counts.fold(ledger)
    parked = events.parked(ledger)
    ledger.close()
    count_reconciled(airflow_stats(), **asdict(done), moved=asked.moved, parked=parked)
    log.info("unknown sends: %s found, %s left to a person", done.found, done.left)
    log.info("lost statuses: %s", asked)
    if done.left:
        log.warning("`genesys-cloud messages unknown` lists what only a person can settle")
    return asdict(done) | asdict(asked)


@task
def control(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
    """Pause, resume or cancel a campaign."""
    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger.campaigns import change_state
    from genesys_cloud.ledger.database import open_ledger

    state = ACTIONS[params["action"]]
    ledger = open_ledger(ledger_url())
    settled = change_state(
        ledger,
        params["campaign_id"],
        state,
        reason=params["reason"] or "",
        actor=actor_of(dag_run),
        now=datetime.now(UTC),
    )
    ledger.close()
    log.info("campaign %s is %s", params["campaign_id"], state)
    return {"campaign_id": params["campaign_id"], "state": state, "messages_cancelled": settled}
