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

from genesys_cloud.errors import CampaignDefinitionError, CampaignError
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.ledger.unknowns import Unknown
from genesys_cloud.outbound.messages import mask_address
from genesys_cloud.settings import find_stored_connections

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
campaign_app = typer.Typer(no_args_is_help=True, help="Look at, pause, resume, cancel a campaign.")
messages_app = typer.Typer(no_args_is_help=True, help="Messages whose outcome nobody knows.")
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger database.")
suppressions_app = typer.Typer(no_args_is_help=True, help="Who must not be written to.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
webhook_app = typer.Typer(no_args_is_help=True, help="The receiver's registration.")
app.add_typer(campaign_app, name="campaign")
app.add_typer(messages_app, name="messages")
app.add_typer(ledger_app, name="ledger")
app.add_typer(suppressions_app, name="suppressions")
app.add_typer(audit_app, name="audit")
app.add_typer(webhook_app, name="webhook")

CampaignId = Annotated[str, typer.Argument(metavar="CAMPAIGN_ID")]
Channel = Annotated[str, typer.Option(help="The channel, such as messaging:sms.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail.")]


SMS = "messaging:sms"


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


@suppressions_app.command("add")
def suppress(
    address: str, channel: Channel = SMS, reason: Reason = "opted_out", as_json: AsJson = False
) -> None:
    """Let nothing more go to an address; running campaigns obey from their next batch on."""
    from genesys_cloud.ledger import suppressions

    entry = _suppression(address, channel, reason)
    with _ledger() as ledger:
        suppressions.add(ledger, [entry], actor=_actor(), now=datetime.now(UTC))
    shown = mask_address(entry.address)
    _print({"suppressed": shown, "channel": channel}, as_json, f"{shown} is suppressed")


@suppressions_app.command("remove")
def unsuppress(
    address: str, channel: Channel = SMS, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Lift a suppression."""
    from genesys_cloud.ledger import suppressions

    entry = _suppression(address, channel, reason)
    with _ledger() as ledger:
        removed = suppressions.remove(ledger, entry, actor=_actor(), now=datetime.now(UTC))
    shown = mask_address(entry.address)
    sentence = f"{shown} is no longer suppressed" if removed else f"{shown} was not suppressed"
    _print({"removed": removed}, as_json, sentence)


@suppressions_app.command("import")
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
    with _ledger() as ledger:
        count = suppressions.add(ledger, entries, actor=_actor(), now=datetime.now(UTC))
    _print({"suppressed": count}, as_json, f"{count:,} addresses are suppressed")


@suppressions_app.command("list")
def list_suppressions(as_json: AsJson = False) -> None:
    """List suppressions, the newest first; addresses are masked."""
    from genesys_cloud.ledger import suppressions

    names = ("masked_address", "channel", "reason", "source")
    with _ledger() as ledger:
        found = [
            {name: row[name] for name in names} | {"created_at": row["created_at"].isoformat()}
            for row in suppressions.listing(ledger)
        ]
    lines = ["  ".join(str(value) for value in one.values()) for one in found]
    _print({"suppressions": found}, as_json, "\n".join([*lines, f"{len(found):,} suppressed"]))


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


def _suppression(address: str, channel: str, reason: str) -> Suppression:
    from genesys_cloud.outbound.addresses import Address, parse_address
    from genesys_cloud.outbound.channels import CHANNELS

    if channel not in CHANNELS:
        raise CampaignDefinitionError(
            f"There is no channel {channel!r}; use one of {', '.join(sorted(CHANNELS))}."
        )
    parsed = parse_address(CHANNELS[channel], address)
    if not isinstance(parsed, Address):
        raise CampaignDefinitionError(f"Nothing was suppressed: {parsed.message}")
    return Suppression(channel=channel, address=parsed.wire, reason=reason, source=_actor())


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
