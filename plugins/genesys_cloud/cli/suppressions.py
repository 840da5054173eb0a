"""`genesys-cloud suppressions`: who must not be written to."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from genesys_cloud.cli.suppression_options import (
    Days,
    Everywhere,
    Expires,
    OnlyChannel,
    Source,
    end,
    holds_on,
    suppression,
)
from genesys_cloud.cli.terminal import (
    SMS,
    AsJson,
    Channel,
    Reason,
    actor,
    airflow,
    open_the_ledger,
    show,
)
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.suppressions import Suppression
from genesys_cloud.outbound.messages import mask_address
from genesys_cloud.outbound.scope import Scope

ListId = Annotated[str, typer.Argument(metavar="LIST_ID")]
All = Annotated[bool, typer.Option("--all", help="Also those that have ended.")]
Out = Annotated[Path, typer.Argument(metavar="FILE", help="- is standard output.")]

app = typer.Typer(no_args_is_help=True, help="Who must not be written to.")


@app.command("add")
def suppress(
    address: str,
    *,
    channel: OnlyChannel = None,
    everywhere: Everywhere = False,
    reason: Reason = "opted_out",
    source: Source = "",
    expires: Expires = None,
    days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing more go to an address; running campaigns obey from their next batch on.

    A suppression that is there and lasts longer stays as it is; to shorten one, remove it first.
    """
    from genesys_cloud.ledger import suppressions

    now = datetime.now(UTC)
    entry = suppression(
        address, holds_on(channel, everywhere), reason, source, end(expires, days, now)
    )
    with open_the_ledger() as ledger:
        done = suppressions.add(ledger, [entry], actor=actor(), now=now)
    shown = mask_address(entry.address)
    told = {"suppressed": shown, **_told(entry), "changed": bool(done.added)}
    until = f" until {entry.expires_at:%Y-%m-%d %H:%M} UTC" if entry.expires_at else ""
    was = "" if done.added else "; it was already, for at least as long"
    show(told, as_json, f"{shown} is suppressed ({entry.holds_on}){until}{was}")


@app.command("remove")
def unsuppress(
    address: str,
    *,
    channel: OnlyChannel = None,
    everywhere: Everywhere = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Lift a suppression of one channel, or the one that holds everywhere."""
    from genesys_cloud.ledger import suppressions

    now = datetime.now(UTC)
    entry = suppression(address, holds_on(channel, everywhere), reason)
    with open_the_ledger() as ledger:
        removed = suppressions.remove(ledger, entry, actor=actor(), now=now)
        left = suppressions.scopes(ledger, entry, now=now)
    shown = mask_address(entry.address)
    sentence = (
        f"{shown} is no longer suppressed ({entry.holds_on})"
        if removed
        else f"{shown} was not suppressed ({entry.holds_on})"
    )
    if Scope.EVERYWHERE in left:
        sentence += "; one that holds everywhere is left, which --everywhere lifts"
    elif left:
        sentence += f"; one on {entry.channel} is left, which --channel {entry.channel} lifts"
    show({"removed": removed, "left": sorted(left)}, as_json, sentence)


@app.command("import")
def import_suppressions(
    file: typer.FileBinaryRead,
    *,
    channel: OnlyChannel = None,
    everywhere: Everywhere = False,
    reason: Reason = "imported",
    source: Source = "",
    expires: Expires = None,
    days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Suppress the addresses of a CSV file; exit code 1 where rows can't be used.

    Columns: address; and, where there is more to say, channel (or everywhere), reason, source,
    expires_at. The options are for rows that don't say. Good rows count, a thousand at a time.
    """
    from genesys_cloud.ledger import suppressions
    from genesys_cloud.ledger.suppression_rows import SuppressionRows
    from genesys_cloud.outbound.audience import read_csv

    now = datetime.now(UTC)
    rows = SuppressionRows(
        rows=read_csv(file),
        holds_on=holds_on(channel, everywhere),
        reason=reason,
        source=source or actor(),
        expires_at=end(expires, days, now),
        now=now,
    )
    with open_the_ledger() as ledger:
        done = suppressions.add(ledger, rows, actor=actor(), now=now)
    refused = rows.refused.total()
    sentence = (
        f"{done.added:,} suppressed, {done.unchanged:,} were already, {refused:,} can't be used"
    )
    lines = [sentence, *(f"row {one.row}: {one.code}: {one.message}" for one in rows.wrong)]
    if refused > len(rows.wrong):
        lines.append(f"and {refused - len(rows.wrong):,} more")
    found = {
        "suppressed": done.added,
        "unchanged": done.unchanged,
        "refused": dict(rows.refused),
        "rows": [asdict(one) for one in rows.wrong],
    }
    show(found, as_json, "\n".join(lines))
    raise typer.Exit(1 if refused else 0)


@app.command("export")
def export_suppressions(file: Out, as_json: AsJson = False) -> None:
    """Write the suppressions in force as CSV, which `import` reads.

    The ledger keeps digests: an address is there as long as a message to it is, else its digest.
    """
    from genesys_cloud.ledger import suppressed_addresses

    with _target(file) as stream, open_the_ledger() as ledger:
        done = suppressed_addresses.export(ledger, stream, actor=actor(), now=datetime.now(UTC))
    if str(file) == "-":
        return
    sentence = (
        f"{done.rows:,} suppressions are in {file}, {done.without_address:,} as a digest alone"
    )
    show(asdict(done), as_json, sentence)


@app.command("list")
def list_suppressions(*, everything: All = False, as_json: AsJson = False) -> None:
    """List the suppressions in force, the newest first; addresses are masked."""
    from genesys_cloud.ledger import suppressions

    now = datetime.now(UTC)
    with open_the_ledger() as ledger:
        rows = suppressions.listing(ledger, at=None if everything else now)
    found = [_shown(row, now) for row in rows]
    names = ("masked_address", "channel", "reason", "source", "created_at")
    lines = ["  ".join(str(one[name]) for name in names) + _ending(one) for one in found]
    show({"suppressions": found}, as_json, "\n".join([*lines, f"{len(found):,} suppressed"]))


@app.command("lists")
def list_dnc_lists(as_json: AsJson = False) -> None:
    """List the do-not-contact lists of Genesys Cloud."""
    from genesys_cloud.workflows.suppression_sync import dnc_lists

    with airflow(), dnc_lists() as lists:
        found = [asdict(one) for one in lists.lists()]
    lines = [f"{one['id']}  {one['name']}  {one['contact_method']}  {one['size']}" for one in found]
    show({"lists": found}, as_json, "\n".join([*lines, f"{len(found):,} lists"]))


@app.command("pull")
def pull_dnc_list(list_id: ListId, channel: Channel = SMS, as_json: AsJson = False) -> None:
    """Suppress every number of a do-not-contact list; weakens no other suppression."""
    found = _sync(list_id, "pull", channel)
    sentence = "{added:,} suppressed, {unchanged:,} were already, {unusable:,} are no numbers"
    show(found, as_json, sentence.format(**found))


@app.command("push")
def push_dnc_list(list_id: ListId, channel: Channel = SMS, as_json: AsJson = False) -> None:
    """Put suppressed numbers on a do-not-contact list, as far as the ledger still knows them."""
    found = _sync(list_id, "push", channel)
    sentence = "{pushed:,} put on the list, {unknown:,} not: the ledger has only their digest"
    show(found, as_json, sentence.format(**found))


def _sync(list_id: str, direction: str, channel: str) -> dict[str, int]:
    from genesys_cloud.workflows.suppression_sync import sync

    with airflow():
        return asdict(sync(list_id, direction=direction, channel=channel, actor=actor()))


def _told(entry: Suppression) -> dict[str, str | None]:
    ends = entry.expires_at
    return {
        "channel": entry.holds_on,
        "scope": entry.scope.value,
        "expires_at": ends.isoformat() if ends else None,
    }


def _shown(row: Mapping[Any, Any], now: datetime) -> dict[str, str | bool | None]:
    everywhere = row["scope"] == Scope.EVERYWHERE
    ends = row["expires_at"]
    return {
        "masked_address": row["masked_address"],
        "channel": Scope.EVERYWHERE.value if everywhere else row["channel"],
        "scope": row["scope"],
        "reason": row["reason"],
        "source": row["source"],
        "created_at": row["created_at"].isoformat(),
        "expires_at": ends.isoformat() if ends else None,
        "in_force": ends is None or ends > now,
    }


def _ending(shown: Mapping[str, object]) -> str:
    if shown["expires_at"] is None:
        return "  for ever"
    return f"  {'until' if shown['in_force'] else 'ended'} {shown['expires_at']}"


@contextmanager
def _target(file: Path) -> Iterator[TextIO]:
    """Give a stream to write to; a file is its owner's alone, and appears whole or not at all."""
    if str(file) == "-":
        yield sys.stdout
        return
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600, exist_ok=False)
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        part.replace(file)
    except OSError as error:
        raise CampaignDefinitionError(
            f"The export can't be written to {file} ({error.strerror}). Give a path in a folder "
            "that this user may write."
        ) from error
    finally:
        part.unlink(missing_ok=True)
