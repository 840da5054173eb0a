"""The live view: pages about campaigns, for whoever may see them, refreshed by themselves.

It knows nothing of Airflow: who asks, and what they may see and run, says the dependency `visitor`,
which every route but the static files passes first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from genesys_cloud.errors import CampaignDefinitionError, CampaignError, LedgerSchemaError
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.live import actions, campaigns, messages, preview_page
from genesys_cloud.live.asked import Backing, OpenLedger
from genesys_cloud.live.rendering import HERE, is_fragment, render
from genesys_cloud.live.safety import HEADERS, Refused, ShortBodies, Tokens
from genesys_cloud.live.visitors import Visitor

log = logging.getLogger(__name__)

_SENTENCES = {
    401: "You are not logged in to Airflow, or not any more. Log in, then open this page again.",
    403: "Airflow does not know your session. Log in again, then open this page again.",
    404: "There is no such page.",
    405: "This page can't be used like that.",
}


def create_app(
    *,
    visitor: Callable[..., Any],
    open_ledger: Callable[[], Ledger],
    secret: Callable[[], str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """Return the live view as an ASGI app.

    `visitor` is a FastAPI dependency that returns a Visitor, or raises an HTTPException. `secret`
    is what the tokens of posts are signed with; it and `open_ledger` are called when first needed.
    """

    def guard(request: Request, found: Visitor = Depends(visitor)) -> None:  # noqa: B008 - FastAPI's way
        request.state.visitor = found

    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        dependencies=[Depends(guard)],
    )  # fmt: skip
    app.state.backing = Backing(
        ledger=OpenLedger(open_ledger), tokens=Tokens(secret, clock), clock=clock
    )
    app.add_middleware(ShortBodies)
    # Before the actions, whose path takes any word.
    app.include_router(campaigns.router)
    app.include_router(messages.router)
    app.include_router(preview_page.router)
    app.include_router(actions.router)
    app.mount("/static", Static(directory=HERE / "static"), name="static")
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(CampaignError, _failed)
    app.add_exception_handler(Exception, _broken)
    return app


class Static(StaticFiles):
    """The files of the pages, taken for nothing but what they are."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file, which browsers ask about again each time."""
        response = super().file_response(*args, **kwargs)
        response.headers.update({**HEADERS, "Cache-Control": "no-cache"})
        return response


def _refused(request: Request, error: Exception) -> HTMLResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    own = isinstance(error, Refused)
    sentence = error.detail if own else _SENTENCES.get(error.status_code, "That is not possible.")
    return _say(request, error.status_code, sentence)


def _not_understood(request: Request, _error: Exception) -> HTMLResponse:
    return _say(request, 400, "The address of this page, or what was filled in, is not right.")


def _failed(request: Request, error: Exception) -> HTMLResponse:
    if isinstance(error, CampaignDefinitionError):
        return _say(request, 409, str(error))
    log.warning("the live view can't be shown: %s", error)
    request.app.state.backing.ledger.drop()
    if isinstance(error, LedgerSchemaError):
        sentence = (
            "The ledger has another schema than this version of the project. Whoever runs it finds "
            "in the API server's log what to do."
        )
    else:
        sentence = (
            "The ledger does not answer, so there is nothing to show. Try again soon; the API "
            "server's log says more."
        )
    return _say(request, 503, sentence)


def _broken(request: Request, _error: Exception) -> HTMLResponse:
    return _say(request, 500, "This page failed. The API server's log says why.")


def _say(request: Request, status: int, sentence: str) -> HTMLResponse:
    template = "_error.html.j2" if is_fragment(request) else "error.html.j2"
    return render(request, template, status=status, sentence=sentence, http_status=status)
