"""`genesys-cloud messages`: those whose outcome nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from genesys_cloud.cli.terminal import AsJson, Reason, actor, open_the_ledger, show
from genesys_cloud.ledger.unknowns import Unknown
from genesys_cloud.outbound.messages import mask_address

app = typer.Typer(no_args_is_help=True, help="Messages whose outcome nobody knows.")


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
