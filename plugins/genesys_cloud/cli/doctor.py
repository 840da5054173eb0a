"""`genesys-cloud doctor`: whether everything that a campaign needs is there."""

from __future__ import annotations

from typing import Annotated

import typer

from genesys_cloud.cli.terminal import AsJson, airflow, show

top = typer.Typer()

Connection = Annotated[str | None, typer.Option(help="Airflow's connection, by its id.")]
TryReceiver = Annotated[
    bool, typer.Option("--receiver/--no-receiver", help="Send a trial event to the receiver.")
]


@top.command()
def doctor(
    *, connection: Connection = None, receiver: TryReceiver = True, as_json: AsJson = False
) -> None:
    """Check all that a campaign needs, from the credentials to the receiver.

    Nothing is sent to anybody. Exit code 1 where something is wrong; a warning is no reason.
    """
    with airflow():
        from genesys_cloud.hooks.genesys_cloud import DEFAULT_CONNECTION
        from genesys_cloud.workflows.doctor.checks import look_around
        from genesys_cloud.workflows.doctor.checkup import table

        checks = list(look_around(connection or DEFAULT_CONNECTION, try_receiver=receiver))
    well = all(check.ok for check in checks)
    show({"ok": well, "checks": [each.as_json() for each in checks]}, as_json, table(checks))
    raise typer.Exit(0 if well else 1)
