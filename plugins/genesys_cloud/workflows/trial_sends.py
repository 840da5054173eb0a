"""The tasks of a test run: it goes the campaign's own way, at the account's rate, at once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import task

from genesys_cloud.workflows.campaign_tasks import occurrence_of
from genesys_cloud.workflows.form.trial import MOST_TEST_RECIPIENTS
from genesys_cloud.workflows.pool import POOL
from genesys_cloud.workflows.retries import SENDING, SOON

log = logging.getLogger(__name__)

OCCURRENCE_FORMAT = "test-%Y%m%dT%H%M%SZ"
"""Each run is a test of its own, by the time of its start in UTC."""


@task(retries=2, **SOON)
def plan(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
    """Turn the test list into planned and blocked messages, and refuse what is no test."""
    from genesys_cloud.workflows.actors import actor_of
    from genesys_cloud.workflows.plain_errors import told_plainly
    from genesys_cloud.workflows.trial_planning import plan_run

    with told_plainly():
        return plan_run(
            params,
            dag_run,
            occurrence=occurrence_of(dag_run, OCCURRENCE_FORMAT),
            actor=actor_of(dag_run),
            now=datetime.now(UTC),
        )


@task(pool=POOL, **SENDING)
def send(planned: Any, params: Any = None) -> dict[str, int]:
    """Send the test, and return how many messages ended in which state."""
    from contextlib import closing

    from genesys_cloud.ledger.shards import cut_shards
    from genesys_cloud.workflows.recording import recording_ledger
    from genesys_cloud.workflows.slices import send_slice

    pace = {"messages_per_minute": None, "segments_per_second": None}
    with closing(recording_ledger()) as ledger:
        left = cut_shards(ledger, planned["occurrence_id"], size=MOST_TEST_RECIPIENTS, most=1)
        for shard in left:  # one, or none where all has been sent
            return dict(send_slice(ledger, shard, planned=planned, params={**params, **pace}))
    return {}


@task(trigger_rule="all_done", retries=2, **SOON)
def summary(planned: Any) -> dict[str, Any]:
    """Print where every recipient of the test ended; fail the run where one has no outcome."""
    from contextlib import closing

    from airflow.sdk.exceptions import AirflowFailException

    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger.campaigns import progress
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.workflows.summary import check_accounted, progress_table

    if planned is None:
        raise AirflowFailException("There is no plan: the log of the plan task says why.")
    with closing(open_ledger(ledger_url())) as ledger:
        counted = progress(ledger, planned["campaign_id"], occurrence_id=planned["occurrence_id"])
    log.info("test %s\n%s", planned["occurrence"], progress_table(counted))
    check_accounted(counted)
    return counted.as_json()
