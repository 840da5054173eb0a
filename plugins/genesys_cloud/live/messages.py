"""The page that says why a message, or anything to a person, was or was not sent."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from genesys_cloud.ledger import why
from genesys_cloud.live.asked import Ask, Asked, posted
from genesys_cloud.live.campaigns import Number
from genesys_cloud.live.rendering import render
from genesys_cloud.outbound.messages import mask_address, storable

MOST = 320
"""Characters of what is looked for, as an address may have."""

_KEY = re.compile(r"[0-9a-f]{64}\Z")

router = APIRouter()


@router.get("/messages")
def messages(request: Request, ask: Ask, q: str = "", before: Number = None) -> HTMLResponse:
    """Show the form, and the message whose key is `q`, as links name it; an address is posted."""
    return render(request, "messages.html.j2", **_found(ask, q if _KEY.match(q) else "", before))


@router.post("/messages", dependencies=[Depends(posted)])
def search(
    request: Request,
    ask: Ask,
    q: Annotated[str, Form()] = "",
    before: Annotated[int | None, Form(ge=1, lt=2**63)] = None,
) -> HTMLResponse:
    """Show what is known of `q`; posted, so that no address lies in a log or a history."""
    return render(request, "_messages.html.j2", **_found(ask, q, before))


def _found(ask: Asked, needle: str, before: int | None) -> dict[str, Any]:
    needle = storable(needle.strip(), most=MOST)
    values: dict[str, Any] = {"needle": needle, "token": ask.token, "found": None}
    if not needle:
        return values
    sight = ask.sight()
    found = why.explain(
        ask.ledger, needle, dag_ids=sight.dag_ids, now=ask.now, before=before, with_text=True
    )
    if not found.messages and not sight.everything:
        # Whom only DAGs out of sight know is nobody: no word may differ from those about nobody.
        found = replace(
            found,
            meaning=None,
            masked=mask_address(needle),
            consents=[],
            suppressions=[],
            hint=None,
        )
    return values | {"found": found}
