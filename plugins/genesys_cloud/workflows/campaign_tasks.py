"""The tasks of a campaign run: each calls one tested function with what Airflow knows.

What a task returns is stored in clear and shown in the UI, so it is ids and counts, never an
address or a text. Imports stand inside the tasks: every task process parses the DAG file anew.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import task

from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.workflows.form import ONCE
from genesys_cloud.workflows.pool import POOL
from genesys_cloud.workflows.retries import SENDING, CampaignRetryPolicy

if TYPE_CHECKING:
    from genesys_cloud.ledger.plans import Origin

log = logging.getLogger(__name__)

MOST_SHARDS = 1_000
"""Under Airflow's max_map_length of 1024, past which the task that cuts the shards would fail."""

CAMPAIGN_FIELDS = (
    "campaign_id", "audience", "template", "channel", "sender", "default_language",
    "messages_per_minute", "segments_per_second", "batch_size", "error_budget_count",
    "error_budget_share", "use_active_conversation", "message_class", "purpose",
    "consent_from", "recipient_cap", "recipient_cap_days", "most_messages", "hold_out_share",
    "max_segments",
)  # fmt: skip


@task(retries=2, retry_delay=timedelta(seconds=20), retry_policy=CampaignRetryPolicy())
def plan(occurrence_format: str | None, params: Any = None, dag_run: Any = None) -> dict[str, Any]:
    """Turn the audience into planned and blocked messages; a dry run keeps nothing."""
    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
    from genesys_cloud.ledger.campaigns import progress
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.outbound.templates import TemplateLibrary
    from genesys_cloud.settings import Settings
    from genesys_cloud.workflows.actors import actor_of
    from genesys_cloud.workflows.audiences import open_audience
    from genesys_cloud.workflows.holding import timekeeper_of
    from genesys_cloud.workflows.linting import begin_lint, end_lint, lint_counts
    from genesys_cloud.workflows.planning import plan_occurrence, rehearse
    from genesys_cloud.workflows.planning_workers import Workers
    from genesys_cloud.workflows.preparing import prepare
    from genesys_cloud.workflows.summary import plan_table

    campaign = _campaign_of(params)
    occurrence = params["occurrence"] or occurrence_of(dag_run, occurrence_format)
    include = Settings.from_environment().include_dir
    library = TemplateLibrary(root=include / "templates")
    # A bad connection or template is found before anybody approves.
    ready = prepare(GenesysCloudHook(), campaign, library, dry_run=params["dry_run"])
    planned: dict[str, Any] = {
        "campaign_id": campaign.campaign_id,
        "occurrence": occurrence,
        "profile": ready.profile,
    }
    now = datetime.now(UTC)
    aim: dict[str, Any] = {
        "occurrence": occurrence,
        "profile": ready.profile,
        "only": _failed_in(params) if params["only_failed_of"] else None,
        "timekeeper": timekeeper_of(campaign, include, now),
        "workers": Workers.for_this_machine(include),
    }
    with open_audience(campaign.audience, include) as audience:
        extremes, rows = begin_lint(ready.template, campaign, audience)
        if params["dry_run"]:
            report = rehearse(campaign, ready.template, rows, **aim, now=now)
        else:
            ledger = open_ledger(ledger_url())
            outcome, report = plan_occurrence(
                ledger,
                campaign,
                ready.template,
                rows,
                **aim,
                now=now,
                actor=actor_of(dag_run),
                origin=origin_of(dag_run, audience.digest),
            )
            # What an earlier run of the occurrence has settled does not go out again.
            counted = progress(ledger, campaign.campaign_id, occurrence_id=outcome.occurrence_id)
            ledger.close()
            planned["occurrence_id"] = outcome.occurrence_id
            planned["to_send"] = counted.states["planned"] + counted.states["held"]
    found = end_lint(ready.template, campaign, ready.profile, extremes)
    table = plan_table(report, assumed=ready.assumed)
    log.info("plan of campaign %s\n%s", campaign.campaign_id, table)
    return planned | {"counts": report.as_counts(), "lint": lint_counts(found)}


@task
def shards(planned: Any, params: Any = None) -> list[dict[str, Any]]:
    """Cut what is to be sent into shards; a dry run has none."""
    from dataclasses import asdict

    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger import plans
    from genesys_cloud.ledger.database import open_ledger

    if params["dry_run"]:
        return []
    ledger = open_ledger(ledger_url())
    cut = plans.shards(
        ledger, planned["occurrence_id"], size=params["batch_size"], most=MOST_SHARDS
    )
    ledger.close()
    return [asdict(shard) for shard in cut]


@task(map_index_template="shard {{ shard_number }}", pool=POOL, **SENDING)
def send(shard: dict[str, Any], planned: Any, params: Any = None) -> dict[str, int]:
    """Send one shard at the allowed rate, and return how many messages ended in which state."""
    from airflow.sdk import get_current_context

    from genesys_cloud.ledger.plans import Shard
    from genesys_cloud.workflows.recording import recording_ledger
    from genesys_cloud.workflows.slices import send_slice

    get_current_context()["shard_number"] = shard["number"]  # type: ignore[typeddict-unknown-key]
    ledger = recording_ledger()
    tally = send_slice(ledger, Shard(**shard), planned=planned, params=params)
    ledger.close()
    log.info("shard %s: %s", shard["number"], dict(tally))
    return dict(tally)


@task(trigger_rule="all_done", retry_policy=CampaignRetryPolicy())
def summary(planned: Any, approved: Any, params: Any = None) -> dict[str, Any]:
    """Print where every recipient ended; fail the run where one has no outcome.

    `approved` is what the approval returned: nothing, where it was refused or never came.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger.campaigns import progress
    from genesys_cloud.ledger.database import open_ledger
    from genesys_cloud.workflows.summary import check_accounted, progress_table

    if planned is None:
        raise AirflowFailException("There is no plan: the log of the plan task says why.")
    if params["dry_run"]:
        log.info("A dry run: nothing was sent. The plan task's log has the table.")
        return {"dry_run": True, **planned["counts"]}
    ledger = open_ledger(ledger_url())
    counted = progress(ledger, planned["campaign_id"], occurrence_id=planned["occurrence_id"])
    ledger.close()
    log.info("%s", progress_table(counted))
    if approved is None:
        raise AirflowFailException(
            f"Campaign {counted.campaign_id!r} was not approved, so this run has sent nothing. "
            "Start it again to be asked again."
        )
    check_accounted(counted)
    return counted.as_json()


def occurrence_of(dag_run: Any, occurrence_format: str | None) -> str:
    """Return the occurrence that a run stands for: a date for a schedule, else `once`."""
    if occurrence_format is None:
        return ONCE
    instant: datetime = dag_run.logical_date or dag_run.run_after
    return instant.astimezone(UTC).strftime(occurrence_format)


def _campaign_of(params: Any) -> Campaign:
    deadline = datetime.fromisoformat(params["deadline"]) if params["deadline"] else None
    given = {name: params[name] for name in CAMPAIGN_FIELDS}
    given["purpose"] = given["purpose"] or ""  # what the form leaves empty
    return Campaign(**given, deadline=deadline)


def origin_of(dag_run: Any, audience_digest: str) -> Origin:
    """Return what the ledger keeps of the run that plans."""
    from genesys_cloud.ledger.plans import Origin

    return Origin(
        dag_id=getattr(dag_run, "dag_id", None),
        run_id=getattr(dag_run, "run_id", None),
        audience_digest=audience_digest,
    )


def _failed_in(params: Any) -> frozenset[str]:
    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger import campaigns
    from genesys_cloud.ledger.database import open_ledger

    ledger = open_ledger(ledger_url())
    failed = campaigns.failed(ledger, params["campaign_id"], params["only_failed_of"])
    ledger.close()
    return failed
