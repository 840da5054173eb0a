"""`genesys-cloud webhook`: the receiver's registration with Genesys."""

from __future__ import annotations

from typing import Annotated

import typer

from genesys_cloud.cli.terminal import AsJson, actor, airflow, show

app = typer.Typer(no_args_is_help=True, help="The receiver's registration.")

Check = Annotated[bool, typer.Option(help="Send trial events to the address first.")]


@app.callback()
def group() -> None:
    """Keep `register` a command of its own."""


@app.command()
def register(url: str, check: Check = True, as_json: AsJson = False) -> None:
    """Register the receiver's public address with Genesys; again makes no second registration."""
    from genesys_cloud.workflows.registering import register_receiver

    with airflow():
        found = register_receiver(url, actor=actor(), verify=check)
    registration = found.registration
    checked = "and it takes signed events" if found.checked else "unchecked"
    lines = [f"{found.shown} is registered as {registration.id}, {checked}"]
    if found.takes_forged:
        lines.append("it takes events that nobody has signed, too: anybody can report statuses")
    lines += [f"the surplus registration {one} is switched off" for one in registration.disabled]
    show(found.as_json(), as_json, "\n".join(lines))
