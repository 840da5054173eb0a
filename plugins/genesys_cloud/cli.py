"""`genesys-cloud`: what people do from a terminal. `--json` wherever it prints."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from genesys_cloud.errors import CampaignError
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.unknowns import Unknown
from genesys_cloud.outbound.messages import mask_address
from genesys_cloud.settings import find_stored_connections

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
campaign_app = typer.Typer(no_args_is_help=True, help="Look at, pause, resume, cancel a campaign.")
messages_app = typer.Typer(no_args_is_help=True, help="Messages whose outcome nobody knows.")
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger database.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
webhook_app = typer.Typer(no_args_is_help=True, help="The receiver's registration.")
app.add_typer(campaign_app, name="campaign")
app.add_typer(messages_app, name="messages")
app.add_typer(ledger_app, name="ledger")
app.add_typer(audit_app, name="audit")
app.add_typer(webhook_app, name="webhook")

CampaignId = Annotated[str, typer.Argument(metavar="CAMPAIGN_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail.")]


class Verdict(StrEnum):
    """What a person decides about an unknown message."""

    SENT = "sent"
    RESEND = "resend"


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


@campaign_app.command()
def prove(campaign_id: CampaignId, as_json: AsJson = False) -> None:
    """Compare the ledger with what Genesys lists; exit code 1, and the differences, where not."""
    with _ledger() as ledger:
        from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
        from genesys_cloud.workflows import proof
        from genesys_cloud.workflows.pace import account_pace

        hook = GenesysCloudHook()
        with hook.get_conn(pace=account_pace(ledger, hook.account())) as client:
            certificate = proof.prove(ledger, client, campaign_id, now=datetime.now(UTC))
    _print(certificate.as_json(), as_json, certificate.as_text())
    raise typer.Exit(0 if certificate.proved else 1)


@messages_app.command()
def unknown(campaign: str | None = None, as_json: AsJson = False) -> None:
    """List the messages that may or may not have gone out, with all that is known of them."""
    from genesys_cloud.ledger import unknowns

    with _ledger() as ledger:
        found = unknowns.find(ledger, campaign_id=campaign)
    listed = [_shown(one) for one in found]
    lines = [
        f"{one['id'][:12]}  {one['campaign_id']}  {one['address']}  {one['attempted_at']}  "
        f"{one['reason_code']}"
        for one in listed
    ]
    _print({"unknown": listed}, as_json, "\n".join([*lines, f"{len(listed):,} unknown"]))


@messages_app.command()
def settle(
    message_id: Annotated[str, typer.Argument(metavar="ID")],
    verdict: Annotated[Verdict, typer.Option("--as", help="What it is to be taken for.")],
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Decide about one unknown message; `resend` may reach the recipient a second time."""
    from genesys_cloud.ledger import unknowns

    with _ledger() as ledger:
        settled = unknowns.settle(
            ledger, message_id, verdict.value, reason=reason, actor=_actor(), now=datetime.now(UTC)
        )
    found = {"id": settled.message_key, "settled_as": verdict.value}
    _print(found, as_json, f"message {settled.message_key[:12]} is settled as {verdict.value}")


@ledger_app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Make the ledger, or bring it to this version's schema."""
    with _airflow():
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
    """Register the receiver's public address with Genesys; again makes no second registration."""
    from dataclasses import asdict

    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook

    hook = GenesysCloudHook()
    with hook.get_conn() as client:
        secret = hook.account().signing_secret
        registration = asdict(client.register_webhook(url, secret=secret))
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
def _airflow() -> Iterator[None]:
    """Find connections wherever Airflow keeps them; its log shall not mix with what is printed."""
    find_stored_connections()
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def _ledger() -> Iterator[Ledger]:
    with _airflow():
        from genesys_cloud.hooks.genesys_cloud import ledger_url

        ledger = open_ledger(ledger_url())
        try:
            yield ledger
        finally:
            ledger.close()


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


def _actor() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run as a number that has no name
        return f"cli:uid {os.getuid()}"


def _print(found: dict[str, Any], as_json: bool, text: str) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else text)
