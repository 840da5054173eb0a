"""`genesys-cloud doctor`: whether everything that a campaign needs is there."""

from __future__ import annotations

from dataclasses import asdict

import typer

from genesys_cloud.cli.terminal import AsJson, airflow, show

top = typer.Typer()


@top.command()
def doctor(as_json: AsJson = False) -> None:
    """Check connection, token, profile, limit, clock, ledger, templates, exports and receiver.

    Nothing is sent. Exit code 1 where something is to be done.
    """
    with airflow():
        from genesys_cloud.workflows.checks import look_around

        checks = list(look_around())
    lines = [f"{check.name:<12}{'ok' if check.ok else 'problem'}: {check.said}" for check in checks]
    well = all(check.ok for check in checks)
    show({"ok": well, "checks": [asdict(check) for check in checks]}, as_json, "\n".join(lines))
    raise typer.Exit(0 if well else 1)
