"""The page of a run's preview, which also stands as a tab at the run in Airflow."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from genesys_cloud.ledger import previews
from genesys_cloud.live.asked import Ask
from genesys_cloud.live.rendering import render
from genesys_cloud.live.safety import Refused
from genesys_cloud.outbound.messages import storable
from genesys_cloud.outbound.preview_view import PreviewView

MOST = 250
"""Characters of an id of Airflow's."""

router = APIRouter()


@router.get("/preview")
def preview(request: Request, ask: Ask, *, dag_id: str = "", run_id: str = "") -> HTMLResponse:
    """Show what a run is going to send, or would have sent."""
    dag_id, run_id = storable(dag_id, most=MOST), storable(run_id, most=MOST)
    found = None
    if ask.visitor.readable(frozenset({dag_id})):
        found = previews.find(ask.ledger, dag_id, run_id)
    if found is None:
        raise Refused(
            404,
            "This run has no preview, or you may not see it. A campaign's task plan makes one; "
            "where it has failed, its log says why.",
        )
    view = PreviewView.of(found.preview, found.samples)
    return render(request, "preview.html.j2", found=found, preview=found.preview, view=view)
