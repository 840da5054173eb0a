"""`genesys-cloud consents`: who withdrew a consent, or gave it again."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from genesys_cloud.cli.terminal import (
    SMS,
    AsJson,
    Channel,
    Reason,
    actor,
    open_the_ledger,
    show,
    show_list,
    wire_address,
)
from genesys_cloud.outbound.messages import mask_address

app = typer.Typer(no_args_is_help=True, help="Consents that were withdrawn, or given again.")


@app.command()
def withdraw(
    address: str, channel: Channel = SMS, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Let nothing more go to a person; running campaigns obey from their next batch on."""
    _record(address, channel, "withdrawn", reason, as_json)


@app.command()
def give(
    address: str, channel: Channel = SMS, reason: Reason = "", as_json: AsJson = False
) -> None:
    """End a withdrawal; the audience must still say that the person consents."""
    _record(address, channel, "given", reason, as_json)


@app.command("list")
def list_consents(as_json: AsJson = False) -> None:
    """List what people decided, the latest first; addresses are masked."""
    from genesys_cloud.ledger import consents

    columns = ("masked_address", "channel", "state", "source", "reason", "decided_at")
    with open_the_ledger() as ledger:
        rows = consents.listing(ledger)
    show_list("consents", rows, columns, as_json, noun="decisions")


def _record(address: str, channel: str, state: str, reason: str, as_json: bool) -> None:
    from genesys_cloud.ledger import consents

    decided = consents.Consent(
        channel=channel,
        address=wire_address(channel, address),
        state=consents.ConsentState(state),
        source=actor(),
        reason=reason,
    )
    with open_the_ledger() as ledger:
        consents.record(ledger, [decided], actor=actor(), now=datetime.now(UTC))
    shown = mask_address(decided.address)
    answer = {"address": shown, "channel": channel, "state": state}
    show(answer, as_json, f"the consent of {shown} is {state}")
