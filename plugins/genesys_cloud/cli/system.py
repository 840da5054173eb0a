"""The parts of the system: ledger, audit trail, receiver, simulator, and SMS arithmetic."""

from __future__ import annotations

import typer

from genesys_cloud.cli.terminal import AsJson, airflow, open_the_ledger, show

top = typer.Typer()
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger database.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
webhook_app = typer.Typer(no_args_is_help=True, help="The receiver's registration.")


@top.command(
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


@top.command()
def receiver(host: str = "127.0.0.1", port: int = 3000) -> None:
    """Serve the webhook receiver alone."""
    from genesys_cloud.settings import Settings
    from genesys_cloud.webhook.__main__ import run

    run(Settings.from_environment(), host=host, port=port)


@top.command()
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
    show(found, as_json, "\n".join(f"{name:<16}{value}" for name, value in found.items()))


@ledger_app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Make the ledger, or bring it to this version's schema."""
    with airflow():
        from genesys_cloud.hooks.genesys_cloud import ledger_url
        from genesys_cloud.ledger import database

        revision = database.upgrade_at(ledger_url())
    show({"revision": revision}, as_json, f"the ledger has schema {revision}")


@audit_app.command()
def verify(as_json: AsJson = False) -> None:
    """Recompute the audit trail's chain; exit code 1 where an entry does not fit."""
    from genesys_cloud.ledger import audit

    with open_the_ledger() as ledger:
        verdict = audit.verify(ledger)
    found = {"ok": verdict.ok, "entries": verdict.entries, "first_bad": verdict.first_bad}
    sentence = f"{verdict.entries} entries, and every digest fits"
    show(found, as_json, sentence if verdict.ok else f"entry {verdict.first_bad} does not fit")
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
    show(registration, as_json, f"{url} is registered as {registration['id']}")
