"""The tasks of the delivery report: a run's own day, and the days before it once more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, task
from airflow.sdk.exceptions import AirflowSkipException

from genesys_cloud.workflows.notices.callbacks import tell_incomplete
from genesys_cloud.workflows.report_days import days_before, interval_of, interval_of_day
from genesys_cloud.workflows.retries import CampaignRetryPolicy

DELIVERIES = Asset(name="genesys_deliveries", uri="genesys://deliveries")
"""The rows of a day. Other DAGs start on it when a day is ready."""

METRICS = Asset(name="genesys_delivery_metrics", uri="genesys://delivery_metrics")
"""The figures of a day, metrics.json."""

TABLES = (DELIVERIES, METRICS)

EXPORTING: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_policy": CampaignRetryPolicy(),
    "on_success_callback": tell_incomplete,
    "on_failure_callback": tell_incomplete,
}
"""How a task that exports a day is tried again, and who hears where the day is not whole."""


@task(outlets=list(TABLES), **EXPORTING)
def export(params: Any = None, dag_run: Any = None, outlet_events: Any = None) -> dict[str, Any]:
    """Export one UTC day's delivery data with its figures and report, and return the manifest."""
    from genesys_cloud.workflows.exporting import export_interval

    now = datetime.now(UTC)
    start, end = interval_of(params, dag_run, now=now)
    exported = export_interval(start, end, profile=params["profile"], dag_run=dag_run, now=now)
    announce(exported, outlet_events)
    return exported


@task
def earlier_days(params: Any = None, dag_run: Any = None) -> list[str]:
    """Return the days before a scheduled run's own, whose late deliveries are fetched again."""
    return days_before(params, dag_run)


# One after the other: they share the account's limit with the day itself and with campaigns.
@task(
    outlets=list(TABLES),
    max_active_tis_per_dagrun=1,
    map_index_template="{{ task.op_kwargs['day'] }}",
    **EXPORTING,
)
def refresh(
    day: str, params: Any = None, dag_run: Any = None, outlet_events: Any = None
) -> dict[str, Any]:
    """Export an earlier day once more, and return its manifest; skipped where nothing changed.

    A skipped task tells no other DAG, so that each event of a table is a day to read again.
    """
    from genesys_cloud.workflows.exporting import export_interval

    start, end = interval_of_day(day)
    now = datetime.now(UTC)
    exported = export_interval(start, end, profile=params["profile"], dag_run=dag_run, now=now)
    if not exported["new_revision"]:
        raise AirflowSkipException(f"{day} is as it was, at revision {exported['revision']}.")
    announce(exported, outlet_events)
    return exported


def announce(exported: Mapping[str, Any], outlet_events: Any) -> None:
    """Put into the event of each table which day is ready, and at which revision."""
    if outlet_events is None:  # called outside of a run
        return
    extra = {name: exported[name] for name in ("day", "revision", "rows", "complete", "place")}
    for table in TABLES:
        outlet_events[table].extra = extra
