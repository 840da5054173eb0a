"""What there is to tell when a task has ended: its context is looked at, nothing is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowException

from genesys_cloud.errors import CampaignDefinitionError, CampaignError
from genesys_cloud.hooks.genesys_cloud import ledger_url
from genesys_cloud.ledger.database import open_ledger
from genesys_cloud.ledger.notices import paused_by_budget
from genesys_cloud.workflows.notices.notice import Notice
from genesys_cloud.workflows.notices.rules import Event
from genesys_cloud.workflows.report_days import interval_of


def end_of(context: Any) -> Notice | None:
    """Return how a run ended, from its summary's context; nothing of a dry run.

    What a person paused or cancelled is no news either.
    """
    if context["params"]["dry_run"]:
        return None
    told = _campaign(context) | _run(context)
    about = (told["dag_id"], told["run_id"])
    if (error := context.get("exception")) is not None:
        return Notice.of(Event.FAILED, about, told, reason=_said(error))
    ended = context["ti"].xcom_pull(task_ids=context["ti"].task_id)
    if ended["campaign_state"] != "active":
        return pause_of(context)
    states = {state: count for state, count in ended["states"].items() if count}
    return Notice.of(
        Event.FINISHED, about, told, counts={"recipients": ended["recipients"], **states}
    )


def pause_of(context: Any) -> Notice | None:
    """Return why the campaign's error budget has paused it, None where it has not."""
    campaign_id = context["params"]["campaign_id"]
    ledger = open_ledger(ledger_url())
    try:
        pause = paused_by_budget(ledger, campaign_id)
    finally:
        ledger.close()
    if pause is None:
        return None
    told = _campaign(context) | _run(context)
    about = (campaign_id, pause.at.isoformat())
    return Notice.of(Event.PAUSED, about, told, reason=pause.reason)


def waiting(context: Any) -> Notice:
    """Return that a run waits for a person's yes."""
    told = _campaign(context) | _run(context)
    return Notice.of(Event.WAITING, (told["dag_id"], told["run_id"]), told)


def incomplete_day(context: Any) -> Notice | None:
    """Return which day's report is missing or not whole, from the context of its export.

    Nothing where a person asked for a day that there can't be.
    """
    task, ti, error = context["task"], context["ti"], context.get("exception")
    if isinstance(error, CampaignDefinitionError):
        return None
    reason = "The day had not ended." if error is None else _said(error)
    if error is None:
        exported = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
        if exported["complete"] is not False:
            return None
    day = task.op_kwargs.get("day")
    if day is None:
        now = datetime.now(UTC)
        start, _ = interval_of(context["params"], context["dag_run"], now=now)
        day = start.date().isoformat()
    told = {"day": day, **_run(context)}
    about = (told["dag_id"], told["run_id"], day)
    return Notice.of(Event.INCOMPLETE, about, told, reason=reason)


def _campaign(context: Any) -> dict[str, str]:
    planned = context["ti"].xcom_pull(task_ids="plan") or {}
    return {
        "campaign_id": context["params"]["campaign_id"],
        "occurrence": planned.get("occurrence", ""),
    }


def _run(context: Any) -> dict[str, str]:
    """Return the run's names, and its page where Airflow knows its own address."""
    dag_id, run_id = context["dag_run"].dag_id, context["dag_run"].run_id
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    url = f"{base}/dags/{quote(dag_id)}/runs/{quote(run_id)}" if base else ""
    return {"dag_id": dag_id, "run_id": run_id, "run_url": url}


def _said(error: BaseException) -> str:
    """Return what an error says, where it is one whose text is made for people."""
    if isinstance(error, (CampaignError, AirflowException)):
        return str(error)
    return f"{type(error).__name__}: the log of the task says more."
