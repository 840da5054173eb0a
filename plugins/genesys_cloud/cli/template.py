"""`genesys-cloud templates`: what is wrong with one, before anybody gets it."""

from __future__ import annotations

from collections import deque
from typing import Annotated

import typer

from genesys_cloud.cli.terminal import SMS, AsJson, Channel, airflow, show
from genesys_cloud.errors import CampaignDefinitionError

app = typer.Typer(no_args_is_help=True, help="Look for what is wrong with a template.")

Audience = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="The contact list whose values the texts are tried with."),
]
Profile = Annotated[str, typer.Option(help="messaging or agentless.")]
DefaultLanguage = Annotated[str, typer.Option(help="For whom nothing else says which.")]
MaxSegments = Annotated[
    int | None, typer.Option(min=1, help="The most SMS segments that a text may take.")
]


@app.callback()
def templates() -> None:
    """Look for what is wrong with a template."""


@app.command()
def lint(
    name: str,
    *,
    channel: Channel = SMS,
    profile: Profile = "messaging",
    audience: Audience = None,
    default_language: DefaultLanguage = "en",
    max_segments: MaxSegments = None,
    as_json: AsJson = False,
) -> None:
    """Print what is wrong with a template; exit code 1 where every recipient would be blocked."""
    from genesys_cloud.outbound.channels import find_channel
    from genesys_cloud.outbound.extremes import Extremes
    from genesys_cloud.outbound.lint_values import lint
    from genesys_cloud.outbound.templates import TemplateLibrary
    from genesys_cloud.outbound.violations import Violation
    from genesys_cloud.settings import Settings
    from genesys_cloud.workflows.linting import lint_table

    found = find_channel(channel, profile)
    if isinstance(found, Violation):
        raise CampaignDefinitionError(f"{found.message} (profile {profile})")
    include = Settings.from_environment().include_dir
    template = TemplateLibrary(root=include / "templates").load(name, channel, profile)
    extremes = None
    if audience is not None:
        with airflow():
            from genesys_cloud.workflows.audiences import open_audience

            extremes = Extremes(template.variables)
            with open_audience(audience, include) as rows:
                deque(extremes.watch(rows), maxlen=0)
    report = lint(
        template,
        channel=found,
        profile=profile,
        default_language=default_language,
        extremes=extremes,
        max_segments=max_segments,
    )
    show(report.as_json(), as_json, lint_table(report))
    raise typer.Exit(1 if report.errors else 0)
