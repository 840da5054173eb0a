"""`genesys-cloud`: what people do from a terminal. `--json` wherever it prints."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from genesys_cloud.errors import CampaignError
from genesys_cloud.ledger.database import Ledger, open_ledger

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
campaign_app = typer.Typer(no_args_is_help=True, help="Look at, pause, resume, cancel a campaign.")
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger database.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
webhook_app = typer.Typer(no_args_is_help=True, help="The receiver's registration.")
app.add_typer(campaign_app, name="campaign")
app.add_typer(ledger_app, name="ledger")
app.add_typer(audit_app, name="audit")
app.add_typer(webhook_app, name="webhook")

CampaignId = Annotated[str, typer.Argument(metavar="CAMPAIGN_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail.")]


def main() -> None:
    """Run the command line; an error of ours is a sentence and exit code 2, not a trace."""
    try:
        app()
    except CampaignError as error:
        print(f"genesys-cloud: {error}", file=sys.stderr)
        sys.exit(2)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
)
def simulator(context: typer.Context) -> None:
    """Serve a Genesys that runs on this machine; `--help` lists its options."""
    from genesys_cloud.simulator.__main__ import main as serve

    raise typer.Exit(serve(context.args))


@app.command()
def receiver(host: str = "127.0.0.1", port: int = 3000) -> None:
    """Serve the webhook receiver alone."""
    from genesys_cloud.settings import Settings
    from genesys_cloud.webhook.__main__ import run

    run(Settings.from_environment(), host=host, port=port)


@app.command()
def segments(text: str, as_json: AsJson = False) -> None:
    """Count the SMS segments of a text, and name what makes it dearer."""
    from genesys_cloud.outbound.segments import count

    counted = count(text)
    found = {
        "encoding": counted.encoding,
        "segments": counted.segments,
        "characters_left": counted.characters_left,
        "forcing": list(counted.forcing),
    }
    _print(found, as_json, "\n".join(f"{name:<16}{value}" for name, value in found.items()))


@campaign_app.command()
def status(campaign_id: CampaignId, as_json: AsJson = False) -> None:
    """Print how far a campaign has come."""
    from genesys_cloud.ledger.campaigns import progress
    from genesys_cloud.workflows.summary import progress_table

    with _ledger() as ledger:
        counted = progress(ledger, campaign_id)
    _print(counted.as_json(), as_json, progress_table(counted))


@campaign_app.command()
def pause(campaign_id: CampaignId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Let nothing more of a campaign go out; send tasks obey within one batch."""
    _change(campaign_id, "paused", reason, as_json)


@campaign_app.command()
def resume(campaign_id: CampaignId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Let a paused campaign go on; start its DAG again to send what is left."""
    _change(campaign_id, "active", reason, as_json)


@campaign_app.command()
def cancel(campaign_id: CampaignId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Cancel what has not gone out; a cancelled campaign stays cancelled."""
    _change(campaign_id, "cancelled", reason, as_json)


@ledger_app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Make the ledger, or bring it to this version's schema."""
    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger import database

    revision = database.upgrade_at(ledger_url())
    _print({"revision": revision}, as_json, f"the ledger has schema {revision}")


@audit_app.command()
def verify(as_json: AsJson = False) -> None:
    """Recompute the audit trail's chain; exit code 1 where an entry does not fit."""
    from genesys_cloud.ledger import audit

    with _ledger() as ledger:
        verdict = audit.verify(ledger)
    found = {"ok": verdict.ok, "entries": verdict.entries, "first_bad": verdict.first_bad}
    sentence = f"{verdict.entries} entries, and every digest fits"
    _print(found, as_json, sentence if verdict.ok else f"entry {verdict.first_bad} does not fit")
    raise typer.Exit(0 if verdict.ok else 1)


@webhook_app.command()
def register(url: str, as_json: AsJson = False) -> None:
    """Register the receiver's public address with Genesys; again changes nothing."""
    from dataclasses import asdict

    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook

    with GenesysCloudHook().get_conn() as client:
        registration = asdict(client.register_webhook(url))
    _print(registration, as_json, f"{url} is registered as {registration['id']}")


def _change(campaign_id: str, state: str, reason: str, as_json: bool) -> None:
    from genesys_cloud.ledger.campaigns import change_state

    with _ledger() as ledger:
        settled = change_state(
            ledger, campaign_id, state, reason=reason, actor=_actor(), now=datetime.now(UTC)
        )
    found = {"campaign_id": campaign_id, "campaign_state": state, "messages_cancelled": settled}
    suffix = f"; {settled:,} messages will not go out" if state == "cancelled" else ""
    _print(found, as_json, f"campaign {campaign_id} is {state}{suffix}")


@contextmanager
def _ledger() -> Iterator[Ledger]:
    from genesys_cloud.hooks.genesys_cloud import ledger_url

    ledger = open_ledger(ledger_url())
    try:
        yield ledger
    finally:
        ledger.close()


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


def _print(found: dict[str, Any], as_json: bool, text: str) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else text)
