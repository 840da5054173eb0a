"""The task of the delivery report: which day, from where, to where."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, task

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.workflows.retries import CampaignRetryPolicy

log = logging.getLogger(__name__)

DELIVERIES = Asset(name="genesys_deliveries", uri="genesys://deliveries")
"""Other DAGs start on it when a day is ready."""


@task(
    outlets=[DELIVERIES],
    retries=3,
    retry_delay=timedelta(minutes=1),
    retry_policy=CampaignRetryPolicy(),
)
def export(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
    """Export one UTC day's delivery data with its figures and report, and return the manifest."""
    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
    from genesys_cloud.ledger import delivered
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.reporting.partitions import build_partition
    from genesys_cloud.settings import Settings
    from genesys_cloud.workflows.audiences import storage_path
    from genesys_cloud.workflows.pace import account_pace

    start, end = interval_of(params, dag_run, now=datetime.now(UTC))
    root = storage_path(Settings.from_environment().export_url)
    hook = GenesysCloudHook(profile=params["profile"])
    ledger = open_ledger(ledger_url())
    with hook.get_conn(pace=account_pace(ledger, hook.account())) as client:
        manifest = build_partition(
            client.pages(start, end),
            lambda ids: delivered.find(ledger, ids),
            root,
            start,
            end,
            states=delivered.states_between(ledger, start, end),
        )
    ledger.close()
    place = f"{root}/deliveries/date={start.date()}"
    log.info("%s rows of %s are in %s", manifest.rows, start.date(), place)
    return {**manifest.as_dict(), "place": place}


def interval_of(
    params: Mapping[str, Any], dag_run: Any, *, now: datetime
) -> tuple[datetime, datetime]:
    """Return the UTC day to report: the Param `date`, else the run's data interval.

    Raises CampaignDefinitionError where there is neither, or where the day has not ended and
    `allow_incomplete` does not say that this is meant.
    """
    if params["date"]:
        start = datetime.combine(date.fromisoformat(params["date"]), datetime.min.time(), UTC)
        end = start + timedelta(days=1)
    elif dag_run.data_interval_start and dag_run.data_interval_end:
        start, end = dag_run.data_interval_start, dag_run.data_interval_end
    else:
        raise CampaignDefinitionError(
            "This run has no data interval, so it names no day. Fill in `date`, or start it with a "
            "logical date."
        )
    if end > now and not params["allow_incomplete"]:
        raise CampaignDefinitionError(
            f"The day {start.date()} has not ended (it is {now:%Y-%m-%d %H:%M} UTC), so its report "
            "would be incomplete. Wait, or set `allow_incomplete`."
        )
    return start, end
