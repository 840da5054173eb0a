"""The buttons of a campaign: pause, resume, cancel, and send again to whose message failed.

The ledger is changed here. A run is started by Airflow, asked by the visitor's own browser, so that
Airflow itself checks the right, validates the conf and notes who did it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from genesys_cloud.ledger import audit, campaign_page
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.campaign_page import OccurrenceRow
from genesys_cloud.ledger.campaigns import change_state
from genesys_cloud.ledger.funnel import Funnel
from genesys_cloud.ledger.overview import CampaignSummary
from genesys_cloud.live.asked import Ask, Asked, posted
from genesys_cloud.live.rendering import render
from genesys_cloud.live.safety import Refused
from genesys_cloud.live.visitors import lacking
from genesys_cloud.outbound.messages import State, mask_numbers, storable

MOST_REASON = 500

MOST_OCCURRENCE = 64
"""Characters of an occurrence's name."""


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
            says="The campaign may send again, and its DAG is started again for what is left.",
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


@dataclass(frozen=True, kw_only=True)
class Start:
    """A run to start like an earlier one: its conf, with some fields changed."""

    dag_id: str
    run_id: str
    changes: Mapping[str, str | None]
    note: str

    def as_json(self) -> str:
        """Return what the page's script reads."""
        by_hand = ", ".join(
            f"{name} = {value}" if value else f"no {name}" for name, value in self.changes.items()
        )
        return json.dumps(
            {
                "dag_id": self.dag_id,
                "run_id": self.run_id,
                "changes": dict(self.changes),
                "note": self.note,
                "by_hand": f"Start {self.dag_id} by hand, as before and with {by_hand}.",
            }
        )


def offered(summary: CampaignSummary) -> list[Action]:
    """Return the buttons that make sense for a campaign now."""
    words = {"active": ["pause", "cancel"], "paused": ["resume", "cancel"]}.get(summary.state, [])
    if summary.state == "active" and _failed(summary.funnel):
        words.append("resend")
    return [ACTIONS[word] for word in words]


router = APIRouter()


@router.get("/campaigns/{campaign_id}/{word}")
def confirm(request: Request, ask: Ask, campaign_id: str, word: str) -> HTMLResponse:
    """Ask for a reason, and whether it is meant."""
    action, summary, rows = _aim(ask, campaign_id, word)
    return render(
        request,
        "_confirm.html.j2",
        campaign=summary,
        action=action,
        occurrences=[row for row in rows if _failed(row.funnel)] if word == "resend" else [],
        starts=_unfinished(rows) if word == "resume" else None,
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
    action, summary, rows = _aim(ask, campaign_id, word)
    reason = storable(reason.strip(), most=MOST_REASON)
    if not reason:
        raise Refused(400, "Say why: the reason goes into the audit trail. Nothing was done.")
    start = _start(action, rows, reason, occurrence, ask.now)
    actor = f"airflow:{ask.visitor.name}"[:200]
    if action.state is not None:
        change_state(ask.ledger, campaign_id, action.state, reason=reason, actor=actor, now=ask.now)
    else:
        audit.note(
            ask.ledger,
            AuditEntry(
                at=ask.now,
                actor=actor,
                action="campaign.resend",
                campaign_id=campaign_id,
                details={"occurrence": occurrence, "reason": reason},
            ),
        )
    answer = render(request, "_done.html.j2", campaign=summary, action=action, start=start)
    answer.headers["HX-Trigger"] = "campaign-changed"
    return answer


def _aim(
    ask: Asked, campaign_id: str, word: str
) -> tuple[Action, CampaignSummary, Sequence[OccurrenceRow]]:
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
    page = campaign_page.occurrences(ask.ledger, campaign_id, dag_ids=dag_ids)
    return ACTIONS[word], summary, [row for row in page.occurrences if not row.is_test]


def _start(
    action: Action, rows: Sequence[OccurrenceRow], reason: str, occurrence: str, now: datetime
) -> Start | None:
    """Return which run an action starts; an occurrence is planned by real runs alone."""
    if action.word == "resume":
        row = _unfinished(rows)
        if row is None:
            return None
        return _like(row, {"occurrence": row.occurrence}, f"Resumed: {reason}", now)
    if action.word != "resend":
        return None
    row = next((row for row in rows if row.occurrence == occurrence and _failed(row.funnel)), None)
    if row is None or row.run_id is None:
        raise Refused(
            400,
            "Choose an occurrence that has failed messages and was planned by a run of Airflow. "
            "Nothing was done.",
        )
    changes = {"only_failed_of": row.occurrence, "occurrence": _again(row.occurrence)}
    return _like(row, changes, f"Resend failed: {reason}", now)


def _again(occurrence: str) -> str:
    """Return the one occurrence in which the failed of another are sent to again.

    Always the same, so that pressing twice sends no second message to whom the first has reached.
    """
    name = f"{occurrence}-resend"
    if len(name) <= MOST_OCCURRENCE:
        return name
    return f"resend-{hashlib.sha256(occurrence.encode()).hexdigest()[:16]}"


def _like(row: OccurrenceRow, changes: Mapping[str, str], note: str, now: datetime) -> Start | None:
    if row.run_id is None:
        return None
    # A run refuses a start that has passed.
    begun = {"not_before": None} if row.not_before and row.not_before <= now else {}
    return Start(
        dag_id=row.dag_id, run_id=row.run_id, changes={**changes, **begun}, note=mask_numbers(note)
    )


def _unfinished(rows: Sequence[OccurrenceRow]) -> OccurrenceRow | None:
    """Return the newest occurrence that still has somebody to send to."""
    return next((row for row in rows if row.run_id is not None and row.funnel.left), None)


def _failed(funnel: Funnel) -> int:
    return funnel.failed + funnel.states.get(State.REJECTED, 0)
