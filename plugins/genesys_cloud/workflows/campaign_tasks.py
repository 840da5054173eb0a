"""The tasks of a campaign run: each calls one tested function with what Airflow knows.

What a task returns is stored in clear and shown in the UI, so it is ids and counts, never an
address or a text. Imports stand inside the tasks: every task process parses the DAG file anew.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import task

from genesys_cloud.workflows.form.params import ONCE
from genesys_cloud.workflows.notices.callbacks import tell_end, tell_pause
from genesys_cloud.workflows.pool import POOL
from genesys_cloud.workflows.retries import SENDING, SOON

log = logging.getLogger(__name__)

MOST_SHARDS = 1_000
"""Under Airflow's max_map_length of 1024, past which the task that cuts the shards would fail."""


@task(retries=2, **SOON)
def plan(
    occurrence_format: str | None,
    own_campaign: str | None = None,
    params: Any = None,
    dag_run: Any = None,
) -> dict[str, Any]:
    """Turn the audience into planned and blocked messages; a dry run keeps the preview alone.

    `own_campaign` is the one that the DAG's file declares, whatever it was called before.
    """
    from genesys_cloud.workflows.actors import actor_of
    from genesys_cloud.workflows.campaign_planning import plan_campaign
    from genesys_cloud.workflows.plain_errors import told_plainly

    with told_plainly():
        return plan_campaign(
            params,
            dag_run,
            occurrence=params["occurrence"] or occurrence_of(dag_run, occurrence_format),
            own_campaign=own_campaign,
            actor=actor_of(dag_run),
            now=datetime.now(UTC),
        )


@task(retries=2, **SOON)
def shards(planned: Any, params: Any = None) -> list[dict[str, Any]]:
    """Cut what is to be sent into shards; a dry run has none, nor has a plan nobody approved."""
    from dataclasses import asdict

    from airflow.sdk import get_current_context

    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.ledger.shards import cut_shards
    from genesys_cloud.workflows.approval.answering import Question

    if params["dry_run"]:
        return []
    Question.about(get_current_context()).release()
    ledger = open_ledger(ledger_url())
    cut = cut_shards(ledger, planned["occurrence_id"], size=params["batch_size"], most=MOST_SHARDS)
    ledger.close()
    return [asdict(shard) for shard in cut]


@task(
    map_index_template="shard {{ shard_number }}",
    pool=POOL,
    on_success_callback=tell_pause,
    **SENDING,
)
def send(shard: dict[str, Any], planned: Any, params: Any = None) -> dict[str, int]:
    """Send one shard at the allowed rate, and return how many messages ended in which state."""
    from airflow.sdk import get_current_context

    from genesys_cloud.ledger.shards import Shard
    from genesys_cloud.workflows.recording import recording_ledger
    from genesys_cloud.workflows.slices import send_slice

    get_current_context()["shard_number"] = shard["number"]  # type: ignore[typeddict-unknown-key]
    ledger = recording_ledger()
    tally = send_slice(ledger, Shard(**shard), planned=planned, params=params)
    ledger.close()
    log.info("shard %s: %s", shard["number"], dict(tally))
    return dict(tally)


@task(
    trigger_rule="all_done",
    on_success_callback=tell_end,
    on_failure_callback=tell_end,
    retries=2,
    **SOON,
)
def summary(planned: Any, approved: Any, params: Any = None, ti: Any = None) -> dict[str, Any]:
    """Print where every recipient ended; fail the run where one has no outcome.

    `approved` is what the approval returned: nothing, where it was refused or never came.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger.campaigns import progress
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.workflows.approval.answering import why_not_sent
    from genesys_cloud.workflows.approval.approved_plan import check_not_replaced
    from genesys_cloud.workflows.summary import check_accounted, progress_table

    if planned is None:
        raise AirflowFailException("There is no plan: the log of the plan task says why.")
    if params["dry_run"]:
        log.info("A dry run: nothing was sent. The plan task's log has the table.")
        return {"dry_run": True, **planned["counts"]}
    ledger = open_ledger(ledger_url())
    counted = progress(ledger, planned["campaign_id"], occurrence_id=planned["occurrence_id"])
    log.info("%s", progress_table(counted))
    refused = why_not_sent(ti)
    if refused or approved is None:
        raise AirflowFailException(
            refused
            or f"Campaign {counted.campaign_id!r} was not approved, so this run has sent nothing. "
            "Start it again to be asked again."
        )
    check_not_replaced(ledger, planned, counted)
    ledger.close()
    check_accounted(counted)
    return counted.as_json()


def occurrence_of(dag_run: Any, occurrence_format: str | None) -> str:
    """Return the occurrence that a run stands for: a date for a schedule, else `once`."""
    if occurrence_format is None:
        return ONCE
    instant: datetime = dag_run.logical_date or dag_run.run_after
    return instant.astimezone(UTC).strftime(occurrence_format)
