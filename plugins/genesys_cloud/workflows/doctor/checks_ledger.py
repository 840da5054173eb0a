"""Checks of the ledger, and of what waits in it or before it."""

from __future__ import annotations

import os
from pathlib import Path

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.hooks.genesys_cloud import ledger_url
from genesys_cloud.ledger import condition, events
from genesys_cloud.ledger.database import SCHEMA_REVISIONS, is_new, open_ledger
from genesys_cloud.webhook import spool as spooling
from genesys_cloud.workflows.doctor.checkup import PATIENCE_S, Found, Scene, info, warning, wrong

ENTRIES = 1_000
"""How much of the audit trail's end is verified; `genesys-cloud audit verify` reads all of it."""


def schema(scene: Scene) -> str | Found:
    """Open the ledger, which has to have the schema that this code knows."""
    url = ledger_url()
    if is_new(url, patience_s=PATIENCE_S):
        return info(
            "it has no tables yet: the first run makes them, or `genesys-cloud ledger upgrade`"
        )
    scene.ledger = open_ledger(url, patience_s=PATIENCE_S)
    return f"{scene.ledger.name} answers and has schema {SCHEMA_REVISIONS[-1]}"


def writable(scene: Scene) -> str | None:
    """See that every table takes a change."""
    if scene.ledger is None:
        _check_folder(ledger_url())
        return None
    condition.check_writable(scene.ledger)
    return "every table can be changed"


def audit_trail(scene: Scene) -> str | Found | None:
    """Verify the end of the audit trail."""
    if scene.ledger is None:
        return None
    verdict = condition.check_end(scene.ledger, ENTRIES)
    if not verdict.ok:
        return wrong(
            f"Entry {verdict.first_bad} does not hold: {verdict.why}. Keep the database as it is, "
            "and run `genesys-cloud audit verify` for the first bad entry of all."
        )
    return f"the last {verdict.entries:,} entries hold together"


def unknown_sends(scene: Scene) -> str | Found | None:
    """Count the sends of which nobody knows what became."""
    if scene.ledger is None:
        return None
    if not (count := condition.unknown_sends(scene.ledger)):
        return "none"
    return info(
        f"{count:,} may have gone out or not: reconcile_sends settles them, and `genesys-cloud "
        "messages unknown` lists what is left to a person"
    )


def parked_events(scene: Scene) -> str | Found | None:
    """Count the events that are about no message that the ledger knows."""
    if scene.ledger is None:
        return None
    if not (count := events.parked(scene.ledger)):
        return "none"
    return info(
        f"{count:,} are about a message that is not in the ledger: one that somebody else sent, or "
        "whose send is not recorded yet"
    )


def spool(scene: Scene) -> str | Found:
    """Look into the receiver's spool, where this machine has it."""
    folder = scene.settings.webhook_spool
    if folder.exists() and not folder.is_dir():
        return wrong(
            f"{folder} is no folder, so a receiver here would turn events away while the ledger is "
            "away. Give a folder in GENESYS_WEBHOOK_SPOOL."
        )
    aside = folder / spooling.SET_ASIDE
    if aside.exists():
        return warning(
            f"{aside} holds events that could not be counted. Look at them, and move the file away."
        )
    if waiting := spooling.folder_size(folder):
        return info(f"{waiting:,} bytes of events in {folder} wait for a receiver to count them")
    return f"nothing waits in {folder}"


def _check_folder(url: str) -> None:
    """Raise LedgerUnavailableError where no SQLite file could be made; a server makes its own."""
    scheme, _, name = url.partition(":///")
    if not scheme.startswith("sqlite"):
        return
    folder = Path(name).parent
    while not folder.exists():
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise LedgerUnavailableError(
            f"The ledger's file {name} can't be made: {folder} is no folder that this user may "
            "write. Give another one in GENESYS_LEDGER_URL."
        )
