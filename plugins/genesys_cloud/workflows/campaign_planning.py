"""Plans a campaign's run, or rehearses it, and says what it would do before anything is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
from genesys_cloud.ledger.campaigns import failed, progress, was_planned
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.origins import check_owner
from genesys_cloud.ledger.plans import Origin
from genesys_cloud.ledger.previews import count_changed
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.settings import Settings
from genesys_cloud.workflows.audiences import open_audience
from genesys_cloud.workflows.form.run_params import checked_campaign
from genesys_cloud.workflows.holding import timekeeper_of
from genesys_cloud.workflows.linting import begin_lint, end_lint, lint_counts
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence, rehearse
from genesys_cloud.workflows.planning_workers import Workers
from genesys_cloud.workflows.preparing import prepare
from genesys_cloud.workflows.previewing import (
    Run,
    Shown,
    at_hand,
    foresee,
    keep,
    keep_rehearsed,
    preview_of,
    read_prices,
)
from genesys_cloud.workflows.stats import airflow_stats
from genesys_cloud.workflows.summary import run_table
from genesys_cloud.workflows.task_metrics import count_plan

log = logging.getLogger(__name__)


def plan_campaign(
    params: Mapping[str, Any],
    dag_run: Any,
    *,
    occurrence: str,
    own_campaign: str | None,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    """Plan what a form's Params describe, and return ids and counts for the tasks that follow."""
    include = Settings.from_environment().include_dir
    campaign = checked_campaign(
        params, dag_run, occurrence=occurrence, include=include, began=_began, now=now
    )
    run = Run(
        dag_id=getattr(dag_run, "dag_id", ""),
        run_id=getattr(dag_run, "run_id", ""),
        campaign=campaign,
        occurrence=occurrence,
        prices=read_prices(include),
        # A bad connection or template is found before anybody approves.
        prepared=prepare(
            GenesysCloudHook(),
            campaign,
            TemplateLibrary(root=include / "templates"),
            dry_run=params["dry_run"],
        ),
        now=now,
        dry_run=params["dry_run"],
    )
    aim = _aim(run, params, include)
    template = run.prepared.template
    with open_audience(campaign.audience, include) as audience:
        extremes, rows = begin_lint(template, campaign, audience)
        own = campaign.campaign_id == own_campaign
        if run.dry_run:
            planned, report, shown = _rehearse(run, rows, aim, audience.digest, own=own)
        else:
            origin = Origin(
                dag_id=run.dag_id or None,
                run_id=run.run_id or None,
                audience_digest=audience.digest,
            )
            aim |= {"origin": origin, "actor": actor, "asks": params["require_approval"]}
            planned, report, shown = _plan(run, rows, aim, own=own)
    found = end_lint(template, campaign, run.prepared.profile, extremes)
    log.info("plan of campaign %s\n%s", campaign.campaign_id, run_table(report, shown.preview))
    return {
        "campaign_id": campaign.campaign_id,
        "occurrence": occurrence,
        "profile": run.prepared.profile,
        **planned,
        "counts": report.as_counts(),
        "lint": lint_counts(found),
        "preview": shown.as_counts(),
    }


def _aim(run: Run, params: Mapping[str, Any], include: Path) -> dict[str, Any]:
    """Return what plan and rehearsal are made by alike."""
    return {
        "occurrence": run.occurrence,
        "profile": run.prepared.profile,
        "only": _failed_in(run, params["only_failed_of"]),
        "timekeeper": timekeeper_of(run.campaign, include, run.now),
        "workers": Workers.for_this_machine(include),
        "now": run.now,
    }


def _rehearse(
    run: Run, rows: Iterable[Row], aim: dict[str, Any], audience_digest: str, *, own: bool
) -> tuple[dict[str, Any], PlanReport, Shown]:
    with at_hand(ledger_url()) as ledger:
        if ledger is not None:
            _check_owner(ledger, run, own=own)
        foresight = foresee(ledger, run) if ledger else None
        report = rehearse(run.campaign, run.prepared.template, rows, **aim, foresight=foresight)
        preview = preview_of(run, report, audience_digest=audience_digest)
        return {}, report, keep_rehearsed(foresight, run, preview, report.tally.samples())


def _plan(
    run: Run, rows: Iterable[Row], aim: dict[str, Any], *, own: bool
) -> tuple[dict[str, Any], PlanReport, Shown]:
    with closing(open_ledger(ledger_url())) as ledger:
        _check_owner(ledger, run, own=own)
        plan, report = plan_occurrence(ledger, run.campaign, run.prepared.template, rows, **aim)
        # What an earlier run of the occurrence has settled does not go out again.
        standing = progress(ledger, plan.campaign_id, occurrence_id=plan.occurrence_id)
        to_send = standing.states["planned"] + standing.states["held"]
        digest = aim["origin"].audience_digest
        preview = preview_of(run, report, audience_digest=digest, to_send=to_send)
        counted = partial(count_changed, ledger, plan.occurrence_id)
        shown = keep(ledger, run, preview, report.tally.samples(), counted=counted)
    count_plan(airflow_stats(), report)
    planned = {
        "occurrence_id": plan.occurrence_id,
        "plan_digest": plan.digest,
        "left_over": plan.left_over,
        "to_send": to_send,
    }
    return planned, report, shown


def _check_owner(ledger: Ledger, run: Run, *, own: bool) -> None:
    if not own and run.dag_id:
        check_owner(ledger, run.campaign.campaign_id, run.dag_id)


def _began(campaign_id: str, occurrence: str) -> bool:
    with closing(open_ledger(ledger_url())) as ledger:
        return was_planned(ledger, campaign_id, occurrence)


def _failed_in(run: Run, occurrence: str | None) -> frozenset[str] | None:
    if not occurrence:
        return None
    with closing(open_ledger(ledger_url())) as ledger:
        return failed(ledger, run.campaign.campaign_id, occurrence)
