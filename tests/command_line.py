"""The command line, run in this process."""

from __future__ import annotations

from click.testing import Result
from typer.testing import CliRunner

from genesys_cloud import cli


def run(*arguments: object, given: str | None = None) -> Result:
    """Run a command; an error of ours is raised, as `main` catches it."""
    result = CliRunner().invoke(cli.app, [str(one) for one in arguments], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
