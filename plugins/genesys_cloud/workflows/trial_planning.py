"""Plans a test: a campaign's template, for a few of one's own numbers before the campaign.

Who is suppressed, has withdrawn consent or has no `true` in the column `consent` gets none: a no is
a no, whoever says it. Quiet hours, caps, the hold-out, the error budget and the approval do not
hold a test back: the numbers are one's own, and a test that comes tomorrow is of no use. Its texts
are made of the test list's own columns, so that nobody reads what a customer would have got.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

from genesys_cloud.errors import AudienceError
from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook, ledger_url
from genesys_cloud.ledger.campaigns import check_test
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.plans import Origin, Plan
from genesys_cloud.outbound.audience import Row
from genesys_cloud.outbound.templates import TemplateLibrary
from genesys_cloud.settings import Settings
from genesys_cloud.workflows.audiences import Audience, open_audience
from genesys_cloud.workflows.form.run_params import check_campaign
from genesys_cloud.workflows.form.trial import MOST_TEST_RECIPIENTS, trial_campaign
from genesys_cloud.workflows.planning import PlanReport, plan_occurrence
from genesys_cloud.workflows.preparing import prepare
from genesys_cloud.workflows.previewing import Run, keep, preview_of, read_prices
from genesys_cloud.workflows.summary import run_table

log = logging.getLogger(__name__)


def plan_run(
    params: Mapping[str, Any], dag_run: Any, *, occurrence: str, actor: str, now: datetime
) -> dict[str, Any]:
    """Plan the test that a form's Params describe, and return ids and counts for what follows."""
    campaign = trial_campaign(params)
    include = Settings.from_environment().include_dir
    check_campaign(campaign, include)
    library = TemplateLibrary(root=include / "templates")
    run = Run(
        dag_id=dag_run.dag_id,
        run_id=dag_run.run_id,
        campaign=campaign,
        occurrence=occurrence,
        prepared=prepare(GenesysCloudHook(), campaign, library, dry_run=False),
        prices=read_prices(include),
        now=now,
        dry_run=False,
        is_test=True,
    )
    with (
        open_audience(campaign.audience, include) as audience,
        closing(open_ledger(ledger_url())) as ledger,
    ):
        plan, report = plan_test(ledger, run, audience, actor=actor)
        preview = preview_of(run, report, audience_digest=audience.digest)
        shown = keep(ledger, run, preview, report.tally.samples())
    log.info("test of campaign %s\n%s", plan.campaign_id, run_table(report, shown.preview))
    return {
        "campaign_id": plan.campaign_id,
        "occurrence": occurrence,
        "occurrence_id": plan.occurrence_id,
        "plan_digest": plan.digest,
        "profile": run.prepared.profile,
        "counts": report.as_counts(),
    }


def plan_test(
    ledger: Ledger, run: Run, audience: Audience, *, actor: str
) -> tuple[Plan, PlanReport]:
    """Write the plan of a test to the ledger.

    Raises AudienceError for a list that is too long or in which nobody may be written to, and
    CampaignDefinitionError as `check_test` does.
    """
    campaign = run.campaign
    rows = own_numbers(audience, campaign.audience)
    check_test(
        ledger, campaign.campaign_id, audience=campaign.audience, audience_digest=audience.digest
    )
    origin = Origin(dag_id=run.dag_id, run_id=run.run_id, audience_digest=audience.digest)
    plan, report = plan_occurrence(
        ledger, campaign, run.prepared.template, rows,
        occurrence=run.occurrence, now=run.now, profile=run.prepared.profile, actor=actor,
        origin=origin, is_test=True,
    )  # fmt: skip
    if not report.planned:
        reasons = ", ".join(report.blocked) or "it has no rows"
        raise AudienceError(
            f"Nobody in the test list {campaign.audience!r} may be written to ({reasons}), so "
            "nothing was sent. Mend the list, and start the test again."
        )
    return plan, report


def own_numbers(audience: Audience, name: str) -> list[Row]:
    """Return the rows of a test list; raise AudienceError for one that is too long."""
    rows = list(islice(audience, MOST_TEST_RECIPIENTS + 1))
    if len(rows) > MOST_TEST_RECIPIENTS:
        raise AudienceError(
            f"The test list {name!r} has more than {MOST_TEST_RECIPIENTS} recipients. A test goes "
            "to a few of your own numbers: give a shorter list, or send the campaign itself."
        )
    return rows
