"""The parts of the system: ledger, receiver, simulator, and SMS arithmetic."""

from __future__ import annotations

from typing import Annotated

import typer

from genesys_cloud.cli.terminal import AsJson, actor, airflow, show

top = typer.Typer()
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger database.")


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
def receiver(
    host: str = "127.0.0.1",
    port: int = 3000,
    allow_unsigned: Annotated[
        bool,
        typer.Option(
            "--allow-unsigned",
            help="Count events that anybody may have sent, where there is no secret.",
        ),
    ] = False,
) -> None:
    """Serve the webhook receiver alone."""
    from dataclasses import replace

    from genesys_cloud.outbound.stats import NO_STATS, Stats
    from genesys_cloud.settings import Settings, metrics_are_on
    from genesys_cloud.webhook.__main__ import run

    settings = Settings.from_environment()
    if allow_unsigned:
        settings = replace(settings, allow_unsigned_events=True)
    stats: Stats = NO_STATS
    if metrics_are_on():  # else it shall not cost a second, and 60 MB, to ask Airflow
        from genesys_cloud.workflows.stats import server_stats

        stats = server_stats()
    run(settings, host=host, port=port, stats=stats)


@top.command()
def segments(text: str, as_json: AsJson = False) -> None:
    """Count the SMS segments of a text, and name what makes it dearer."""
    from genesys_cloud.outbound.gsm_spelling import saving
    from genesys_cloud.outbound.segments import count

    counted = count(text)
    found: dict[str, object] = {
        "encoding": counted.encoding,
        "segments": counted.segments,
        "characters_left": counted.characters_left,
        "forcing": list(counted.forcing),
    }
    if saved := saving(text, counted):
        found |= {"replacements": dict(saved.replaced), "segments_saved": saved.segments}
    show(found, as_json, "\n".join(f"{name:<16}{value}" for name, value in found.items()))


@ledger_app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Make the ledger, or bring it to this version's schema."""
    with airflow():
        from genesys_cloud.hooks.genesys_cloud import ledger_url
        from genesys_cloud.ledger import database

        revision = database.upgrade_at(ledger_url(), actor=actor())
    show({"revision": revision}, as_json, f"the ledger has schema {revision}")
