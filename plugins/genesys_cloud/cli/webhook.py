"""`genesys-cloud webhook`: the receiver's registration with Genesys."""

from __future__ import annotations

from typing import Annotated

import typer

from genesys_cloud.cli.terminal import AsJson, actor, airflow, show

app = typer.Typer(no_args_is_help=True, help="The receiver's registration.")

Check = Annotated[bool, typer.Option(help="Send trial events to the address first.")]
Kind = Annotated[str, typer.Option(help="In the profile agentless: open, eventbridge or trigger.")]
Name = Annotated[str, typer.Option(help="What the registration is called, and found by.")]
Account = Annotated[str, typer.Option(help="eventbridge: the AWS account, 12 digits.")]
Region = Annotated[str, typer.Option(help="eventbridge: the AWS region.")]
Suffix = Annotated[str, typer.Option(help="eventbridge: the end of the event source's name.")]
Topic = Annotated[str, typer.Option(help="trigger: the topic whose events start the workflow.")]
Workflow = Annotated[str, typer.Option(help="trigger: the id of the Architect workflow.")]


@app.callback()
def group() -> None:
    """Keep `register` a command of its own."""


@app.command()
def register(
    url: str,
    *,
    check: Check = True,
    kind: Kind = "",
    name: Name = "",
    aws_account_id: Account = "",
    aws_region: Region = "",
    event_source_suffix: Suffix = "",
    topic: Topic = "",
    workflow_id: Workflow = "",
    as_json: AsJson = False,
) -> None:
    """Register the receiver's public address with Genesys; again makes no second registration."""
    from genesys_cloud.workflows.registering import order_of, register_receiver

    order = order_of(
        {
            "kind": kind,
            "name": name,
            "aws_account_id": aws_account_id,
            "aws_region": aws_region,
            "event_source_suffix": event_source_suffix,
            "topic": topic,
            "workflow_id": workflow_id,
        }
    )
    with airflow():
        found = register_receiver(url, actor=actor(), verify=check, order=order)
    registration = found.registration
    checked = "and it takes signed events" if found.checked else "unchecked"
    lines = [f"{found.shown} is registered as {registration.id}, {checked}"]
    if found.takes_forged:
        lines.append("it takes events that nobody has signed, too: anybody can report statuses")
    lines += [f"the surplus registration {one} is switched off" for one in registration.disabled]
    show(found.as_json(), as_json, "\n".join(lines))
