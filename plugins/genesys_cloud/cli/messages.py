"""`genesys-cloud messages`: why one was or was not sent, and those whose outcome nobody knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from genesys_cloud.cli.terminal import AsJson, Reason, actor, open_the_ledger, show
from genesys_cloud.ledger.stories import MessageStory
from genesys_cloud.ledger.unknowns import Unknown
from genesys_cloud.ledger.why import Explanation
from genesys_cloud.outbound.messages import mask_address
from genesys_cloud.outbound.preview_lines import counted

app = typer.Typer(
    no_args_is_help=True,
    help="Why a message was or was not sent, and those whose outcome nobody knows.",
)


class Verdict(StrEnum):
    """What a person decides about an unknown message."""

    SENT = "sent"
    RESEND = "resend"


@app.command()
def unknown(campaign: str | None = None, as_json: AsJson = False) -> None:
    """List the messages that may or may not have gone out, with all that is known of them."""
    from genesys_cloud.ledger import unknowns

    with open_the_ledger() as ledger:
        found = unknowns.find(ledger, campaign_id=campaign)
    listed = [_shown(one) for one in found]
    lines = [
        f"{one['id'][:12]}  {one['campaign_id']}  {one['address']}  {one['attempted_at']}  "
        f"{one['reason_code']}"
        for one in listed
    ]
    show({"unknown": listed}, as_json, "\n".join([*lines, f"{len(listed):,} unknown"]))


@app.command()
def settle(
    message_id: Annotated[str, typer.Argument(metavar="ID")],
    verdict: Annotated[Verdict, typer.Option("--as", help="What it is to be taken for.")],
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Decide about one unknown message; `resend` may reach the recipient a second time."""
    from genesys_cloud.ledger import unknowns

    with open_the_ledger() as ledger:
        settled = unknowns.settle(
            ledger, message_id, verdict.value, reason=reason, actor=actor(), now=datetime.now(UTC)
        )
    found = {"id": settled.message_key, "settled_as": verdict.value}
    show(found, as_json, f"message {settled.message_key[:12]} is settled as {verdict.value}")


@app.command()
def why(
    needle: Annotated[str, typer.Argument(metavar="ADDRESS_OR_ID")],
    text: Annotated[bool, typer.Option("--text", help="Show what was written, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say why somebody got a message or did not, with all that is on record of it.

    Takes an address as people write it, a message key or its first 8 characters, or an id of a
    message or a conversation at Genesys.
    """
    from genesys_cloud.ledger.why import explain

    now = datetime.now(UTC)
    with open_the_ledger() as ledger:
        found = explain(ledger, needle, dag_ids=None, now=now, with_text=text)
    answer = json.loads(json.dumps(asdict(found), default=datetime.isoformat))
    show(answer, as_json, "\n".join(_explained(found)))
    if found.meaning is None:
        raise typer.Exit(1)


def _explained(found: Explanation) -> Iterator[str]:
    """Yield the lines that answer why."""
    if found.meaning is None:
        yield f"The ledger knows nothing of {found.masked}."
        yield from filter(None, [found.hint])
        return
    yield f"{len(found.messages)} messages by the {found.meaning} {found.masked}"
    for one in found.messages:
        yield from _told(one)
    if found.before is not None:
        yield "Older messages are left out; name one of them by its key."
    for consent in found.consents:
        yield (
            f"consent {consent.state} on {consent.channel} for {consent.purpose or 'any purpose'}, "
            f"{consent.decided_at:%Y-%m-%d}, from {consent.source}"
        )
    for entry in found.suppressions:
        force = "in force" if entry.in_force else "over"
        yield (
            f"suppressed on {entry.channel} since {entry.created_at:%Y-%m-%d} ({force}): "
            f"{entry.reason}, from {entry.source}"
        )


def _told(one: MessageStory) -> Iterator[str]:
    test = " (a test)" if one.is_test else ""
    name = f"{one.message_key[:12]}  {one.campaign_id} {one.occurrence}{test}"
    yield f"\n{name} to {one.masked_address}"
    yield f"  {one.sentence}"
    run = f", run {one.run_id}" if one.run_id else ""
    yield f"  planned {one.planned_at:%Y-%m-%d %H:%M} by {one.dag_id}{run}; row {one.row_number}"
    segments = f", {counted(one.segments, 'segment')}" if one.segments else ""
    yield f"  template {one.template} {one.template_version[:12]} in {one.language}{segments}"
    yield f"  consent asked of {one.consent_from}: {one.consent_proof or 'a yes'}"
    if one.attempted_at is not None:
        last = f"{one.attempted_at:%Y-%m-%d %H:%M:%S} UTC"
        sent = f"  {counted(one.attempts, 'attempt')}, the last {last}"
        yield sent + (f", Genesys' id {one.api_message_id}" if one.api_message_id else "")
    if one.text is not None:
        yield f"  text: {one.text}"
    for event in one.events:
        yield f"  event {event.occurred_at:%Y-%m-%d %H:%M:%S} {event.status} ({event.outcome})"
    for entry in one.entries:
        reason = f": {entry.reason}" if entry.reason else ""
        yield f"  audit {entry.seq} {entry.at} {entry.action} by {entry.actor}{reason}"
    yield from (f"  {gap}" for gap in one.gaps)


def _shown(one: Unknown) -> dict[str, Any]:
    return {
        "id": one.message_key,
        "campaign_id": one.campaign_id,
        "occurrence": one.occurrence,
        "channel": one.channel,
        "address": mask_address(one.address),
        "attempted_at": one.attempted_at.isoformat(timespec="seconds"),
        "reason_code": one.reason_code,
        "reason": one.reason,
        "correlation_id": one.correlation_id,
    }
