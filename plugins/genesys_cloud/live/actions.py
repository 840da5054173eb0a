"""The buttons of a campaign: pause, resume, cancel, and send again to whose message failed.

The ledger is changed here. A run is started by Airflow, asked by the visitor's own browser, so that
Airflow itself checks the right, validates the conf and notes who did it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from genesys_cloud.ledger import audit, campaign_page
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.campaign_page import OccurrenceRow
from genesys_cloud.ledger.campaigns import change_state
from genesys_cloud.ledger.overview import CampaignSummary
from genesys_cloud.live.asked import Ask, Asked, posted
from genesys_cloud.live.rendering import render
from genesys_cloud.live.safety import Refused
from genesys_cloud.live.starts import Start, resent, resumed, unfinished
from genesys_cloud.live.visitors import lacking
from genesys_cloud.outbound.messages import storable

MOST_REASON = 500

MOST_LOOKED_AT = 500
"""How many occurrences, the newest, may be resumed or sent again to."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A button, how it is confirmed, and into which state it puts the campaign."""

    word: str
    title: str
    press: str
    says: str
    state: str | None
    style: str = "main"


ACTIONS = {
    action.word: action
    for action in (
        Action(
            word="pause",
            title="Pause",
            press="Pause the campaign",
            says="Send tasks stop within one batch. What has not gone out stays planned.",
            state="paused",
        ),
        Action(
            word="resume",
            title="Resume",
            press="Resume the campaign",
            says=(
                "The campaign may send again, and its DAG is started again for the newest "
                "occurrence in which somebody is left."
            ),
            state="active",
        ),
        Action(
            word="cancel",
            title="Cancel",
            press="Cancel the campaign",
            says="What has not gone out never will. A cancelled campaign stays cancelled.",
            state="cancelled",
            style="danger",
        ),
        Action(
            word="resend",
            title="Resend failed",
            press="Send to them again",
            says=(
                "Those whose message was rejected or failed get an occurrence of their own. "
                "Whoever has had a message gets no other, however often this is pressed. The list "
                "is read again, and every rule is asked again."
            ),
            state=None,
        ),
    )
}


def offered(summary: CampaignSummary) -> list[Action]:
    """Return the buttons that make sense for a campaign now."""
    words = {"active": ["pause", "cancel"], "paused": ["resume", "cancel"]}.get(summary.state, [])
    if summary.state == "active" and summary.funnel.unreached:
        words.append("resend")
    return [ACTIONS[word] for word in words]


router = APIRouter()


@router.get("/campaigns/{campaign_id}/{word}")
def confirm(request: Request, ask: Ask, campaign_id: str, word: str) -> HTMLResponse:
    """Ask for a reason, and whether it is meant."""
    action, summary = _aim(ask, campaign_id, word)
    rows = _planned(ask, campaign_id)
    return render(
        request,
        "_confirm.html.j2",
        campaign=summary,
        action=action,
        occurrences=[row for row in rows if row.funnel.unreached],
        starts=unfinished(rows),
        token=ask.token,
        most=MOST_REASON,
    )


@router.post("/campaigns/{campaign_id}/{word}", dependencies=[Depends(posted)])
def act(
    request: Request,
    ask: Ask,
    campaign_id: str,
    word: str,
    *,
    reason: Annotated[str, Form()] = "",
    occurrence: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Do what was confirmed, and say so; a run that is to start is left to the page's script."""
    action, summary = _aim(ask, campaign_id, word)
    reason = storable(reason.strip(), most=MOST_REASON)
    if not reason:
        raise Refused(400, "Say why: the reason goes into the audit trail. Nothing was done.")
    start = _start(ask, campaign_id, word, occurrence, reason)
    actor = f"airflow:{ask.visitor.name}"[:200]
    if action.state is not None:
        change_state(ask.ledger, campaign_id, action.state, reason=reason, actor=actor, now=ask.now)
    else:
        _note_resend(ask, campaign_id, actor, {"occurrence": occurrence, "reason": reason})
    answer = render(request, "_done.html.j2", campaign=summary, action=action, start=start)
    answer.headers["HX-Trigger"] = "campaign-changed"
    return answer


def _aim(ask: Asked, campaign_id: str, word: str) -> tuple[Action, CampaignSummary]:
    """Return what is asked for, of whom; refuses who may not see it, and who may not do it."""
    dag_ids = ask.sight().dag_ids
    summary = ask.campaign(campaign_id, dag_ids)
    if word not in ACTIONS:
        raise Refused(404, "There is no such page.")
    if missing := lacking(ask.visitor, ask.ledger, campaign_id):
        named = ", ".join(sorted(missing & dag_ids)) or "a DAG that you may not see"
        raise Refused(403, f"You need the right to run {named} for that. Nothing was done.")
    if ACTIONS[word] not in offered(summary):
        raise Refused(409, f"The campaign is {summary.state} by now. Nothing was done.")
    return ACTIONS[word], summary


def _note_resend(ask: Asked, campaign_id: str, actor: str, details: Mapping[str, str]) -> None:
    entry = AuditEntry(
        at=ask.now,
        actor=actor,
        action="campaign.resend",
        campaign_id=campaign_id,
        details=details,
    )
    audit.note(ask.ledger, entry)


def _start(ask: Asked, campaign_id: str, word: str, occurrence: str, reason: str) -> Start | None:
    """Return which run an action starts; an occurrence is planned by real runs alone."""
    if word == "resume":
        return resumed(_planned(ask, campaign_id), reason, ask.now)
    if word == "resend":
        return resent(_planned(ask, campaign_id), occurrence, reason, ask.now)
    return None


def _planned(ask: Asked, campaign_id: str) -> list[OccurrenceRow]:
    """Return the occurrences that a run may be started for: those that are no tests."""
    page = campaign_page.occurrences(
        ask.ledger, campaign_id, dag_ids=ask.sight().dag_ids, limit=MOST_LOOKED_AT
    )
    return [row for row in page.occurrences if not row.is_test]
