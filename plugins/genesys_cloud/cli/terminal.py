"""What every command needs: the ledger, who is asking, and how answers are printed."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.settings import find_stored_connections

CampaignId = Annotated[str, typer.Argument(metavar="CAMPAIGN_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Channel = Annotated[str, typer.Option(help="The channel, such as messaging:sms.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail.")]

SMS = "messaging:sms"
"""The channel where none is named."""


@contextmanager
def airflow() -> Iterator[None]:
    """Find connections wherever Airflow keeps them; its log shall not mix with what is printed."""
    find_stored_connections()
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def open_the_ledger() -> Iterator[Ledger]:
    """Open the ledger that Airflow's connection, or else the environment, names."""
    with airflow():
        from genesys_cloud.hooks.genesys_cloud import ledger_url

        ledger = open_ledger(ledger_url())
        try:
            yield ledger
        finally:
            ledger.close()


def actor() -> str:
    """Who is asking, as the audit trail keeps it."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run as a number that has no name
        return f"cli:uid {os.getuid()}"


def wire_address(channel: str, address: str) -> str:
    """Return an address in its channel's wire form; CampaignDefinitionError where it is none."""
    from genesys_cloud.outbound.addresses import Address, parse_address
    from genesys_cloud.outbound.channels import CHANNELS

    if channel not in CHANNELS:
        raise CampaignDefinitionError(
            f"There is no channel {channel!r}; use one of {', '.join(sorted(CHANNELS))}."
        )
    parsed = parse_address(CHANNELS[channel], address)
    if not isinstance(parsed, Address):
        raise CampaignDefinitionError(f"Nothing was changed: {parsed.message}")
    return parsed.wire


def instant(text: str | None) -> datetime | None:
    """Return the instant that an option names, in UTC where it has no offset, None where it is
    not given; CampaignDefinitionError where it is no time."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CampaignDefinitionError(
            f"{text!r} is neither a date nor a time. Write 2026-03-01 or 2026-03-01T08:00:00Z."
        ) from None


def show(found: dict[str, Any], as_json: bool, text: str) -> None:
    """Print an answer as JSON or as people read it."""
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else text)


def show_list(
    name: str,
    rows: Iterable[Mapping[Any, Any]],
    columns: Sequence[str],
    as_json: bool,
    *,
    noun: str,
) -> None:
    """Print rows, of which the last column is a time, and how many they are."""
    *texts, at = columns
    found = [{each: row[each] for each in texts} | {at: row[at].isoformat()} for row in rows]
    lines = ["  ".join(str(value) for value in one.values()) for one in found]
    show({name: found}, as_json, "\n".join([*lines, f"{len(found):,} {noun}"]))
