"""Whether a plan is still the one that was asked about, and whether it may go out.

What Airflow keeps of a run can be edited there; so the ledger is asked, and the files themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genesys_cloud.errors import AudienceError, NotApprovedError, TemplateError, UnaccountedError
from genesys_cloud.ledger import approvals
from genesys_cloud.ledger.approvals import Standing
from genesys_cloud.ledger.campaigns import Progress
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.plans import BEING_PLANNED
from genesys_cloud.outbound.plan_digest import SHOWN
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.workflows.actors import actor_of
from genesys_cloud.workflows.audiences import open_audience


def plan_of(ledger: Ledger, planned: Mapping[str, Any], params: Mapping[str, Any]) -> Standing:
    """Return the plan that a run has made, as the ledger has it.

    Raises NotApprovedError where that is another by now.
    """
    found = approvals.standing(ledger, planned.get("occurrence_id") or 0)
    digest = planned.get("plan_digest")
    if found is None or not digest or found.campaign_id != params["campaign_id"]:
        raise NotApprovedError(
            f"Campaign {params['campaign_id']!r}: the ledger has no plan such as this run's. "
            "Nothing was sent. Start it again.",
            reason="no_plan",
        )
    if found.plan_digest != digest:
        raise NotApprovedError(
            f"{_replaced(found, digest)} An approval of this run is void, and nothing was sent by "
            "it. Look at that run, or start the campaign again.",
            reason="planned_anew",
        )
    return found


def check_files(found: Standing, include_dir: Path) -> None:
    """Raise NotApprovedError where contact list or template are no longer what was planned from."""
    library = TemplateLibrary(root=include_dir / "templates")
    changed = []
    try:
        template = library.load(found.template, found.channel, found.profile)
        if template.version != found.template_version:
            changed.append(
                f"template {found.template!r} (or its greeting) is version {template.version}, and "
                f"{found.template_version} was planned"
            )
        with open_audience(found.audience, include_dir) as audience:
            if audience.digest != found.audience_digest:
                changed.append(
                    f"the contact list {found.audience!r} has another content "
                    f"({audience.digest[:SHOWN]}, and {_short(found.audience_digest)} was planned)"
                )
    except (AudienceError, TemplateError) as error:
        changed.append(str(error).rstrip("."))
    if changed:
        raise NotApprovedError(
            f"The approval of campaign {found.campaign_id!r} is void: since the plan "
            f"{_short(found.plan_digest)} was shown, {'; and '.join(changed)}. Nothing was sent. "
            "Start the campaign again to plan it anew and be asked again.",
            reason="files_changed",
        )


def check_released(
    ledger: Ledger,
    planned: Mapping[str, Any],
    params: Mapping[str, Any],
    dag_run: Any,
    include_dir: Path,
) -> None:
    """Raise NotApprovedError unless this run's plan may go out now, by what the ledger says."""
    found = plan_of(ledger, planned, params)
    if found.approved_digest != found.plan_digest:
        raise NotApprovedError(
            f"Nobody has approved the plan {_short(found.plan_digest)} of campaign "
            f"{found.campaign_id!r}, whatever state its task approve is in: nothing was sent. "
            "Clear the task approve to be asked again, or start the campaign again.",
            reason="not_approved",
        )
    if not params["require_approval"]:
        return
    if params.get("approval_by_other") and found.approved_by == actor_of(dag_run):
        raise NotApprovedError(
            f"Campaign {found.campaign_id!r} was approved by {found.approved_by}, who started this "
            "run, and it needs somebody else: nothing was sent. Clear the task approve, and let "
            "somebody else answer.",
            reason="same_user",
        )
    check_files(found, include_dir)


def check_not_replaced(ledger: Ledger, planned: Mapping[str, Any], counted: Progress) -> None:
    """Raise UnaccountedError where people wait whom another run has planned since."""
    found = approvals.standing(ledger, planned["occurrence_id"])
    waiting = counted.states["planned"] + counted.states["held"]
    digest = planned.get("plan_digest")
    if found and waiting and found.plan_digest != digest:
        raise UnaccountedError(
            f"{_replaced(found, digest)} This run has stopped; {waiting:,} recipients still wait, "
            "and the later run sends to them. Look there: nothing is to be done here."
        )


def _replaced(found: Standing, digest: str | None) -> str:
    run = f"run {found.dag_id}/{found.run_id}" if found.run_id else "something else"
    how = (
        f"is being planned anew by {run}, since {found.planned_at:%Y-%m-%d %H:%M} UTC."
        if found.plan_digest == BEING_PLANNED
        else f"was planned otherwise by {run} at {found.planned_at:%Y-%m-%d %H:%M} UTC: its plan "
        f"is {_short(found.plan_digest)} now, and was {_short(digest)}."
    )
    return f"Campaign {found.campaign_id!r}, occurrence {found.occurrence!r}, {how}"


def _short(digest: str | None) -> str:
    return (digest or "unknown")[:SHOWN]
