"""`genesys-cloud erase` and `genesys-cloud retention`: what is kept of people, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from genesys_cloud.cli.terminal import AsJson, Reason, actor, open_the_ledger, show
from genesys_cloud.settings import Settings

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="A number, or an id with prefix.")]
OnlyChannel = Annotated[
    str | None, typer.Option(help="One channel only; a number is erased on all without this.")
]
Forget = Annotated[
    bool,
    typer.Option(
        "--forget-suppression",
        help="Delete the person's opt-out too; they may be written to again.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count, and delete nothing.")]

top = typer.Typer()


@top.command()
def erase(
    address: Address,
    channel: OnlyChannel = None,
    reason: Reason = "",
    forget_suppression: Forget = False,
    as_json: AsJson = False,
) -> None:
    """Destroy everything personal about one person, and print a certificate of it."""
    from genesys_cloud.outbound.identity import identify
    from genesys_cloud.workflows.erasing import erase_person

    identity = identify(address, channel)
    with open_the_ledger() as ledger:
        certificate = erase_person(
            ledger,
            identity,
            spool=Settings.from_environment().webhook_spool,
            reason=reason,
            actor=actor(),
            now=datetime.now(UTC),
            forget_suppression=forget_suppression,
        )
    show(certificate.as_json(), as_json, certificate.as_text())


@top.command()
def retention(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Destroy what is older than the retention policy allows, as ledger_retention does daily."""
    from genesys_cloud.ledger import retention as rules
    from genesys_cloud.ledger.retention_policy import policy_file, read_policy

    path = policy_file(Settings.from_environment().include_dir)
    policy, now = read_policy(path), datetime.now(UTC)
    with open_the_ledger() as ledger:
        if dry_run:
            rows = rules.due(ledger, policy, now=now)
        else:
            rows = rules.apply(ledger, policy, actor=actor(), now=now)
    lines = [f"{count:>10,}  {name}" for name, count in rows.items()]
    heading = "would be destroyed" if dry_run else "destroyed"
    text = "\n".join([f"{heading} by the policy of {policy.dated}:", *lines])
    found = {"dry_run": dry_run, "policy_dated": policy.dated.isoformat(), "rows": dict(rows)}
    show(found, as_json, text)
