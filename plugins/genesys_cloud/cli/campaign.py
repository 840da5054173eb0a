"""`genesys-cloud campaign`: how far one is, steering it, proving it."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from genesys_cloud.cli.terminal import AsJson, CampaignId, Reason, actor, open_the_ledger, show

app = typer.Typer(no_args_is_help=True, help="Look at, pause, resume, cancel, prove a campaign.")


@app.command()
def status(campaign_id: CampaignId, as_json: AsJson = False) -> None:
    """Print how far a campaign has come."""
    from genesys_cloud.ledger.campaigns import progress
    from genesys_cloud.workflows.summary import progress_table

    with open_the_ledger() as ledger:
        counted = progress(ledger, campaign_id)
    show(counted.as_json(), as_json, progress_table(counted))


@app.command()
def pause(campaign_id: CampaignId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Let nothing more of a campaign go out; send tasks obey within one batch."""
    _change(campaign_id, "paused", reason, as_json)


@app.command()
def resume(campaign_id: CampaignId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Let a paused campaign go on; start its DAG again to send what is left."""
    _change(campaign_id, "active", reason, as_json)


@app.command()
def cancel(campaign_id: CampaignId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Cancel what has not gone out; a cancelled campaign stays cancelled."""
    _change(campaign_id, "cancelled", reason, as_json)


@app.command()
def prove(campaign_id: CampaignId, as_json: AsJson = False) -> None:
    """Compare the ledger with what Genesys lists; exit code 1, and the differences, where not."""
    with open_the_ledger() as ledger:
        from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
        from genesys_cloud.workflows import proof
        from genesys_cloud.workflows.pace import account_pace

        hook = GenesysCloudHook()
        with hook.get_conn(pace=account_pace(ledger, hook.account())) as client:
            certificate = proof.prove(ledger, client, campaign_id, now=datetime.now(UTC))
    show(certificate.as_json(), as_json, certificate.as_text())
    raise typer.Exit(0 if certificate.proved else 1)


def _change(campaign_id: str, state: str, reason: str, as_json: bool) -> None:
    from genesys_cloud.ledger.campaigns import change_state

    with open_the_ledger() as ledger:
        settled = change_state(
            ledger, campaign_id, state, reason=reason, actor=actor(), now=datetime.now(UTC)
        )
    found = {"campaign_id": campaign_id, "campaign_state": state, "messages_cancelled": settled}
    suffix = f"; {settled:,} messages will not go out" if state == "cancelled" else ""
    show(found, as_json, f"campaign {campaign_id} is {state}{suffix}")
