"""`genesys-cloud suppressions`: who must not be written to."""

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
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.messages import mask_address

app = typer.Typer(no_args_is_help=True, help="Who must not be written to.")


@app.command("add")
def suppress(
    address: str, channel: Channel = SMS, reason: Reason = "opted_out", as_json: AsJson = False
) -> None:
    """Let nothing more go to an address; running campaigns obey from their next batch on."""
    from genesys_cloud.ledger import suppressions

    entry = _suppression(address, channel, reason)
    with open_the_ledger() as ledger:
        suppressions.add(ledger, [entry], actor=actor(), now=datetime.now(UTC))
    shown = mask_address(entry.address)
    show({"suppressed": shown, "channel": channel}, as_json, f"{shown} is suppressed")


@app.command("remove")
def unsuppress(
    address: str, channel: Channel = SMS, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Lift a suppression."""
    from genesys_cloud.ledger import suppressions

    entry = _suppression(address, channel, reason)
    with open_the_ledger() as ledger:
        removed = suppressions.remove(ledger, entry, actor=actor(), now=datetime.now(UTC))
    shown = mask_address(entry.address)
    sentence = f"{shown} is no longer suppressed" if removed else f"{shown} was not suppressed"
    show({"removed": removed}, as_json, sentence)


@app.command("import")
def import_suppressions(
    file: typer.FileBinaryRead,
    channel: Channel = SMS,
    reason: Reason = "imported",
    as_json: AsJson = False,
) -> None:
    """Suppress every address of a CSV file with a column `address`, in one transaction."""
    from genesys_cloud.ledger import suppressions
    from genesys_cloud.outbound.audience import read_csv

    entries = [
        _suppression(row.values.get("address", ""), channel, reason) for row in read_csv(file)
    ]
    with open_the_ledger() as ledger:
        count = suppressions.add(ledger, entries, actor=actor(), now=datetime.now(UTC))
    show({"suppressed": count}, as_json, f"{count:,} addresses are suppressed")


@app.command("list")
def list_suppressions(as_json: AsJson = False) -> None:
    """List suppressions, the newest first; addresses are masked."""
    from genesys_cloud.ledger import suppressions

    columns = ("masked_address", "channel", "reason", "source", "created_at")
    with open_the_ledger() as ledger:
        rows = suppressions.listing(ledger)
    show_list("suppressions", rows, columns, as_json, noun="suppressed")


def _suppression(address: str, channel: str, reason: str) -> Suppression:
    wire = wire_address(channel, address)
    return Suppression(channel=channel, address=wire, reason=reason, source=actor())
