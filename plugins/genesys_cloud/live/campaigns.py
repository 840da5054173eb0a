"""The pages of campaigns: all at a glance, one from near, and whose message failed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from genesys_cloud.ledger import campaign_page, overview, shortfall
from genesys_cloud.live.actions import offered
from genesys_cloud.live.asked import Ask
from genesys_cloud.live.chart import draw
from genesys_cloud.live.rendering import is_fragment, render
from genesys_cloud.live.visitors import lacking
from genesys_cloud.outbound.messages import storable

Number = Annotated[int | None, Query(ge=1, lt=2**63)]
"""A cursor that is a row's number."""

router = APIRouter()


@router.get("/")
def campaigns(
    request: Request, ask: Ask, search: str = "", before: str | None = None
) -> HTMLResponse:
    """Show a page of campaigns, or the part of it that refreshes."""
    search = storable(search.strip(), most=64)
    before = before and storable(before, most=128)
    found = overview.campaigns(
        ask.ledger, now=ask.now, dag_ids=ask.sight().dag_ids, search=search, before=before
    )
    template = "_campaigns.html.j2" if is_fragment(request) else "campaigns.html.j2"
    return render(request, template, found=found, search=search, before=before)


@router.get("/campaigns/{campaign_id}")
def campaign(
    request: Request,
    ask: Ask,
    campaign_id: str,
    *,
    occurrences_before: Number = None,
    timeline_before: Number = None,
) -> HTMLResponse:
    """Show one campaign, or the part of its page that refreshes."""
    dag_ids = ask.sight().dag_ids
    summary = ask.campaign(campaign_id, dag_ids)
    missing = lacking(ask.visitor, ask.ledger, campaign_id)
    aim = (ask.ledger, campaign_id)
    return render(
        request,
        "_campaign.html.j2" if is_fragment(request) else "campaign.html.j2",
        campaign=summary,
        occurrences=campaign_page.occurrences(*aim, dag_ids=dag_ids, before=occurrences_before),
        chart=draw(campaign_page.pace(*aim, dag_ids=dag_ids)),
        timeline=campaign_page.timeline(*aim, dag_ids=dag_ids, before=timeline_before),
        failures=shortfall.reasons(*aim, dag_ids=dag_ids),
        actions=offered(summary),
        may_act=not missing,
        lacking=sorted(missing & dag_ids),
        occurrences_before=occurrences_before,
        timeline_before=timeline_before,
    )


@router.get("/campaigns/{campaign_id}/failures")
def failures(
    request: Request,
    ask: Ask,
    campaign_id: str,
    *,
    kind: str,
    reason: str,
    before: str | None = None,
) -> HTMLResponse:
    """Show whose messages were not sent, or failed, for one reason."""
    dag_ids = ask.sight().dag_ids
    summary = ask.campaign(campaign_id, dag_ids)
    kind, reason = storable(kind, most=16), storable(reason, most=64)
    found = shortfall.page(ask.ledger, campaign_id, kind, reason, dag_ids=dag_ids, before=before)
    return render(
        request, "failures.html.j2", campaign=summary, found=found, kind=kind, reason=reason,
        before=before,
    )  # fmt: skip
