"""`genesys-cloud audit`: verifying the trail, publishing its head, handing it out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from genesys_cloud.cli.terminal import AsJson, actor, instant, open_the_ledger, show
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.audit_chain import Head
from genesys_cloud.ledger.audit_export import Format, Selection

app = typer.Typer(no_args_is_help=True, help="The audit trail.")

KnownHeads = Annotated[
    list[str] | None,
    typer.Option("--head", metavar="SEQ:DIGEST", help="A head published before; may be repeated."),
]
HeadsFile = Annotated[
    typer.FileText | None,
    typer.Option("--heads", help="A file of published heads, one a line; - is standard input."),
]
Out = Annotated[Path, typer.Option(help="The file to write; - is standard output.")]
_TIME = "A date, or a time with its offset; UTC where it has none."
Since = Annotated[str | None, typer.Option("--from", metavar="TIME", help=_TIME)]
Before = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help=f"{_TIME} What is at it is left out.")
]
WrittenAs = Annotated[Format, typer.Option("--format", help="Only jsonl can be verified.")]


@app.command()
def verify(head: KnownHeads = None, heads_file: HeadsFile = None, as_json: AsJson = False) -> None:
    """Recompute the audit trail's chain; exit code 1 where an entry does not fit."""
    from genesys_cloud.ledger import audit

    lines = [*(head or []), *(line for line in heads_file or () if line.strip())]
    known = [Head.parse(line) for line in lines]
    with open_the_ledger() as ledger:
        verdict = audit.verify(ledger, known)
    found = {"ok": verdict.ok, "entries": verdict.entries, "first_bad": verdict.first_bad}
    sentence = f"{verdict.entries} entries, and {verdict.why}"
    bad = f"entry {verdict.first_bad} does not fit: {verdict.why}"
    show(found, as_json, sentence if verdict.ok else bad)
    raise typer.Exit(0 if verdict.ok else 1)


@app.command("head")
def print_head(as_json: AsJson = False) -> None:
    """Print SEQ:DIGEST of the last entry, to be kept where nobody who writes the ledger can."""
    from genesys_cloud.ledger import audit

    with open_the_ledger() as ledger:
        found = audit.head(ledger)
    show(vars(found), as_json, str(found))


@app.command()
def export(
    out: Out,
    *,
    campaign: str | None = None,
    address: str | None = None,
    since: Since = None,
    before: Before = None,
    written_as: WrittenAs = Format.JSONL,
    as_json: AsJson = False,
) -> None:
    """Write the trail, or what of it is about a campaign, a person, a time, with a manifest."""
    from genesys_cloud.ledger import audit_export
    from genesys_cloud.outbound.identity import identify

    selection = Selection(
        campaign_id=campaign,
        identity=identify(address) if address else None,
        since=instant(since),
        before=instant(before),
    )
    with _target(out) as stream, open_the_ledger() as ledger:
        manifest = audit_export.export(
            ledger, selection, stream, written_as, actor=actor(), now=datetime.now(UTC)
        ).as_json()
    if str(out) == "-":
        print(json.dumps(manifest), file=sys.stderr)
        return
    beside = out.with_name(f"{out.name}.manifest.json")
    beside.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    sentence = f"{manifest['entries']:,} entries are in {out}, their manifest is {beside.name}"
    show(manifest, as_json, sentence)


@contextmanager
def _target(out: Path) -> Iterator[BinaryIO]:
    """Give a stream to write to; a file appears whole or not at all."""
    if str(out) == "-":
        yield typer.get_binary_stream("stdout")
        return
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(out)
    except OSError as error:
        raise CampaignDefinitionError(
            f"The export can't be written to {out} ({error.strerror}). Give a path in a folder "
            "that this user may write."
        ) from error
    finally:
        part.unlink(missing_ok=True)
