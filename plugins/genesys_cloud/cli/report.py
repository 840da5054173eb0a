"""`genesys-cloud report`: one page about any range of exported days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from genesys_cloud.cli.terminal import AsJson, airflow, show
from genesys_cloud.errors import CampaignDefinitionError, ExportTargetError

top = typer.Typer()

_DAY = "YYYY-MM-DD"
First = Annotated[str, typer.Option("--from", metavar=_DAY, help="The first UTC day.")]
Last = Annotated[
    str,
    typer.Option(
        "--to", metavar=_DAY, help="The last UTC day. It is included, as in `airflow backfill`."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="The HTML file to write, - for standard output. Without it: "
        "delivery-report_FROM_TO.html here, or no file with --json."
    ),
]


@top.command()
def report(first: First, last: Last, out: Out = None, as_json: AsJson = False) -> None:
    """Report on the exported days from --from to --to; days without a partition are named."""
    days = _day(first, "--from"), _day(last, "--to")
    to_terminal = str(out) == "-"
    if to_terminal and as_json:
        raise CampaignDefinitionError("--json and --out - would both print: give --out a file.")
    with airflow():
        from genesys_cloud.reporting.range_reports import in_words, over_range, range_json
        from genesys_cloud.reporting.ranges import read_range
        from genesys_cloud.settings import Settings
        from genesys_cloud.workflows.export_place import export_place

        found = read_range(export_place(Settings.from_environment().export_url), *days)
        if out is None and not as_json:
            out = Path(f"delivery-report_{days[0]}_{days[1]}.html")
        html = over_range(found) if out else ""
    if to_terminal:
        typer.echo(html, nl=False)
        return
    if out:
        _write(out, html)
    show(range_json(found), as_json, f"{in_words(found)}\nThe report is {out}")


def _write(out: Path, html: str) -> None:
    """Write a file that appears whole or not at all."""
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ExportTargetError(
            f"The report can't be written to {out} ({error.strerror}). Give --out a path in a "
            "folder that this user may write."
        ) from error


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CampaignDefinitionError(
            f"{option} {text!r} is not a day. Write it as in 2026-03-01."
        ) from None
