"""Pages from templates: everything that comes from data is escaped, and every answer guarded."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from genesys_cloud.live import wording
from genesys_cloud.live.safety import HEADERS
from genesys_cloud.outbound.messages import mask_numbers

HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    """Return the templates, made when the first page is asked for."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": wording.number,
        "rate": wording.rate,
        "share": wording.share,
        "duration": wording.duration,
        "moment": wording.moment,
        "words": wording.words,
        "tone": wording.tone,
        "masked": mask_numbers,
    }
    return made


def is_fragment(request: Request) -> bool:
    """Return whether a part of a page is asked for, by the page itself."""
    return "hx-request" in request.headers


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page or a part of one.

    `root` is where the pages are mounted, `airflow_root` where Airflow is: '' unless it has a path.
    """
    text = environment().get_template(template).render(
        root=request.scope.get("root_path", ""),
        airflow_root=request.scope.get("app_root_path", ""),
        now=request.app.state.backing.clock(),
        **values,
    )  # fmt: skip
    return HTMLResponse(text, status_code=status, headers=dict(HEADERS))
