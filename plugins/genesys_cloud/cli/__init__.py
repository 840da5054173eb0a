"""`genesys-cloud`: what people do from a terminal. `--json` wherever it prints."""

from __future__ import annotations

import sys

import typer

from genesys_cloud.cli import (
    audit,
    campaign,
    consents,
    doctor,
    erasure,
    messages,
    report,
    suppressions,
    system,
    template,
    webhook,
)
from genesys_cloud.errors import CampaignError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(system.top)
app.add_typer(doctor.top)
app.add_typer(erasure.top)
app.add_typer(report.top)
app.add_typer(campaign.app, name="campaign")
app.add_typer(template.app, name="templates")
app.add_typer(messages.app, name="messages")
app.add_typer(suppressions.app, name="suppressions")
app.add_typer(consents.app, name="consents")
app.add_typer(system.ledger_app, name="ledger")
app.add_typer(audit.app, name="audit")
app.add_typer(webhook.app, name="webhook")


def main() -> None:
    """Run the command line; an error of ours is a sentence and exit code 2, not a trace."""
    try:
        app()
    except CampaignError as error:
        print(f"genesys-cloud: {error}", file=sys.stderr)
        sys.exit(2)
