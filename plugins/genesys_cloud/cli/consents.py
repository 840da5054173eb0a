"""`genesys-cloud consents`: what people decided, when, how, and the proof of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from genesys_cloud.cli.terminal import (
    SMS,
    AsJson,
    Channel,
    Reason,
    actor,
    instant,
    open_the_ledger,
    show,
    wire_address,
)
from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.consent import (
    SENTENCES,
    ConsentFrom,
    ConsentState,
    Manner,
    normalise_purpose,
    refusal,
)
from genesys_cloud.outbound.messages import mask_address

app = typer.Typer(no_args_is_help=True, help="Consents that were withdrawn, or given.")

_TIME = "A time with its offset, or a date; UTC where it has none."
OnlyChannel = Annotated[
    str | None, typer.Option(help="One channel only; without it every channel of the person.")
]
Purpose = Annotated[str, typer.Option(help="One purpose only, such as appointments.")]
ReceivedAt = Annotated[
    str | None, typer.Option("--received-at", metavar="TIME", help=f"{_TIME} By default now.")
]
GivenAt = Annotated[str | None, typer.Option("--at", metavar="TIME", help=f"{_TIME} Default now.")]
Expires = Annotated[str | None, typer.Option(metavar="TIME", help=f"{_TIME} Without it for ever.")]
Wording = Annotated[str, typer.Option(help="The version of the text that the person agreed to.")]
WordingFile = Annotated[
    typer.FileBinaryRead | None,
    typer.Option("--wording-file", help="That text; its SHA-256 is kept."),
]
Evidence = Annotated[str, typer.Option(help="Where the proof is, such as a form's number.")]
AsOf = Annotated[str | None, typer.Option("--at", metavar="TIME", help=f"{_TIME} Default now.")]
_SHOWN = (
    "masked_address", "channel", "state", "purpose", "source", "manner", "reason", "wording",
    "wording_digest", "evidence",
)  # fmt: skip
_TIMES = ("decided_at", "recorded_at", "expires_at", "honour_by")


@app.command()
def withdraw(
    address: str,
    *,
    channel: OnlyChannel = None,
    purpose: Purpose = "",
    manner: Manner = Manner.OTHER,
    received_at: ReceivedAt = None,
    reason: Reason = "",
    evidence: Evidence = "",
    as_json: AsJson = False,
) -> None:
    """Let nothing more go to a person; running campaigns obey from their next batch on."""
    from genesys_cloud.ledger.consents import Consent

    now = datetime.now(UTC)
    received = _past("--received-at", received_at, now) or now
    deadline = _policy().honour_by(received)
    decided = [
        Consent(
            channel=name,
            address=wire,
            state=ConsentState.WITHDRAWN,
            purpose=normalise_purpose(purpose),
            source=actor(),
            manner=manner,
            reason=reason,
            evidence=evidence,
            decided_at=received,
            honour_by=deadline,
        )
        for name, wire in _wires(address, channel).items()
    ]
    by = f", in force from now; the law wants that by {deadline:%Y-%m-%d %H:%M} UTC"
    _record(decided, now, as_json, by, {"honour_by": deadline.isoformat()})


@app.command()
def give(
    address: str,
    *,
    channel: Channel = SMS,
    purpose: Purpose = "",
    wording: Wording = "",
    wording_file: WordingFile = None,
    at: GivenAt = None,
    expires: Expires = None,
    reason: Reason = "",
    evidence: Evidence = "",
    as_json: AsJson = False,
) -> None:
    """Record a consent, which ends a withdrawal; most campaigns want the audience's yes, too."""
    from genesys_cloud.ledger.consents import Consent

    now = datetime.now(UTC)
    given = Consent(
        channel=channel,
        address=wire_address(channel, address),
        state=ConsentState.GIVEN,
        purpose=normalise_purpose(purpose),
        wording=wording,
        wording_digest=hashlib.sha256(wording_file.read()).hexdigest() if wording_file else None,
        source=actor(),
        reason=reason,
        evidence=evidence,
        decided_at=_past("--at", at, now) or now,
        expires_at=instant(expires),
    )
    _record([given], now, as_json, "", {})


@app.command("import")
def import_consents(
    file: typer.FileBinaryRead, *, channel: Channel = SMS, as_json: AsJson = False
) -> None:
    """Record what a CSV file says that people decided; exit code 1 where rows can't be used.

    Columns: address, consent (given or withdrawn), consent_at; and, where there is more to say,
    channel, consent_source, consent_purpose, consent_wording, consent_wording_text,
    consent_expires_at, consent_evidence, manner, reason.
    """
    from genesys_cloud.ledger import consents
    from genesys_cloud.ledger.consent_rows import ConsentRows
    from genesys_cloud.outbound.audience import read_csv

    now, policy = datetime.now(UTC), _policy()
    rows = ConsentRows(rows=read_csv(file), channel=channel, source=actor(), policy=policy, now=now)
    with open_the_ledger() as ledger:
        added = consents.record(ledger, rows, actor=actor(), now=now)
    known = rows.usable - added
    found = {"recorded": added, "known": known, "refused": dict(rows.refused)}
    lines = [f"{added:,} decisions are recorded, {known:,} were known", *rows.examples]
    show(found | {"examples": rows.examples}, as_json, "\n".join(lines))
    raise typer.Exit(1 if rows.refused else 0)


@app.command("list")
def list_consents(as_json: AsJson = False) -> None:
    """List what people decided, the latest first; addresses are masked."""
    from genesys_cloud.ledger import consents

    with open_the_ledger() as ledger:
        found = [_shown(row) for row in consents.listing(ledger)]
    text = "\n".join([*map(_line, found), f"{len(found):,} decisions"])
    show({"consents": found}, as_json, text)


@app.command("show")
def show_person(
    address: str,
    *,
    channel: OnlyChannel = None,
    purpose: Purpose = "",
    at: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Show all that a person decided, and whether the record held a consent at a time."""
    from genesys_cloud.ledger import consents
    from genesys_cloud.ledger.plans import address_key

    asked, wanted = instant(at) or datetime.now(UTC), normalise_purpose(purpose)
    keys = {name: address_key(name, wire) for name, wire in _wires(address, channel).items()}
    with open_the_ledger() as ledger:
        rows = consents.history(ledger, keys.values())
    verdicts: dict[str, str] = {}
    for name, key in keys.items():
        known = [
            consents.recorded(row)
            for row in rows
            if row["address_key"] == key and row["decided_at"] <= asked
        ]
        verdicts[name] = (
            refusal(known, purpose=wanted, consent_from=ConsentFrom.LEDGER, at=asked)
            or "consent_given"
        )
    found = {"at": asked.isoformat(), "purpose": wanted, "on_record": verdicts}
    shown = [_shown(row) for row in rows]
    lines = [*map(_line, shown), *(f"{name}: {_said(code)}" for name, code in verdicts.items())]
    show(found | {"consents": shown}, as_json, "\n".join(lines))


def _record(
    decided: list[Any], now: datetime, as_json: bool, suffix: str, more: Mapping[str, str]
) -> None:
    from genesys_cloud.ledger import consents

    with open_the_ledger() as ledger:
        consents.record(ledger, decided, actor=actor(), now=now)
    first = decided[0]
    shown, channels = mask_address(first.address), [one.channel for one in decided]
    answer = {"address": shown, "channels": channels, "state": str(first.state), **more}
    sentence = f"the consent of {shown} is {first.state} on {', '.join(channels)}{suffix}"
    show(answer, as_json, sentence)


def _wires(address: str, channel: str | None) -> Mapping[str, str]:
    """Return the person's addresses by channel, on one channel or all."""
    from genesys_cloud.outbound.identity import identify

    if channel is not None:
        return {channel: wire_address(channel, address)}
    try:
        return identify(address).wires
    except CampaignDefinitionError as error:
        raise CampaignDefinitionError(f"Nothing was changed: {error}") from None


def _past(option: str, text: str | None, now: datetime) -> datetime | None:
    moment = instant(text)
    if moment is not None and moment > now:
        raise CampaignDefinitionError(
            f"Nothing was changed: {option} {text} is still to come. Give the time at which it "
            "happened."
        )
    return moment


def _policy() -> Any:
    from genesys_cloud.policies import read_revocation
    from genesys_cloud.settings import Settings

    return read_revocation(Settings.from_environment().include_dir)


def _shown(row: Mapping[Any, Any]) -> dict[str, str | bool | None]:
    """Return what is shown of a decision; a withdrawal is in force, so honoured, once recorded."""
    shown: dict[str, str | bool | None] = {name: row[name] for name in _SHOWN}
    shown |= {name: row[name] and row[name].isoformat() for name in _TIMES}
    if row["state"] == ConsentState.WITHDRAWN:
        shown["honoured_at"] = row["recorded_at"].isoformat()
    if row["honour_by"]:
        shown["honoured_in_time"] = row["recorded_at"] <= row["honour_by"]
    return shown


def _line(shown: Mapping[str, object]) -> str:
    names = ("masked_address", "channel", "state", "purpose", "manner", "source", "reason")
    told = [str(shown[name] or "-") for name in names]
    by = f"  honour by {shown['honour_by']}" if shown["honour_by"] else ""
    return "  ".join([*told, str(shown["decided_at"])]) + by


def _said(code: str) -> str:
    return SENTENCES.get(code, "A consent is on record.")
