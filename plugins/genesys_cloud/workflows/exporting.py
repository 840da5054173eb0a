"""Exporting one day: Genesys' list, the ledger and the export target brought together."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
from genesys_cloud.ledger import audit, delivered
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.outbound.deliveries import SurelyWithin
from genesys_cloud.reporting.audit_heads import publish
from genesys_cloud.reporting.manifest import Manifest
from genesys_cloud.reporting.partitions import build_partition
from genesys_cloud.reporting.reconciliation import LedgerSide
from genesys_cloud.reporting.targets import partition_of
from genesys_cloud.settings import Settings
from genesys_cloud.workflows.actors import actor_of, run_of
from genesys_cloud.workflows.export_place import export_place
from genesys_cloud.workflows.joining import Joined
from genesys_cloud.workflows.pace import account_pace
from genesys_cloud.workflows.recording import recording_ledger
from genesys_cloud.workflows.stats import airflow_stats
from genesys_cloud.workflows.task_metrics import count_export

log = logging.getLogger(__name__)

PAGES_AHEAD = 8
"""Pages in flight at once: at 50 ms a page about as many as one processor takes in."""


def export_interval(
    start: datetime, end: datetime, *, profile: str | None, dag_run: Any, now: datetime
) -> dict[str, Any]:
    """Export the messages of [start, end), audit that, and return the manifest and where it is.

    `new_revision` in it says whether the rows are others than before.
    """
    began = time.monotonic()
    root = export_place(Settings.from_environment().export_url)
    hook = GenesysCloudHook(profile=profile)
    ledger = recording_ledger()
    try:
        with hook.get_conn(pace=account_pace(ledger, hook.account())) as client:
            manifest = build_partition(
                Joined(client.listing(start, end, ahead=PAGES_AHEAD), ledger),
                lambda ids: delivered.find(ledger, ids),
                root,
                start,
                end,
                states=delivered.states_between(ledger, start, end),
                ledger=ledger_side(ledger, start, end, now=now),
                day_ended=end <= now,
            )
        note_export(ledger, manifest, dag_run)
        head = audit.head(ledger)
        publish(root, str(head), head.seq)
    finally:
        ledger.close()
    place = str(partition_of(root, manifest.day))
    log.info("%s rows of %s are in %s", manifest.rows, manifest.day, place)
    count_export(airflow_stats(), manifest, time.monotonic() - began)
    return {**manifest.as_dict(), "place": place, "new_revision": manifest.is_new}


def ledger_side(ledger: Ledger, start: datetime, end: datetime, *, now: datetime) -> LedgerSide:
    """Return what the export of an interval asks of the ledger."""
    return LedgerSide(
        learn=lambda listed: delivered.learn(ledger, listed, now=now),
        accepted=lambda: delivered.accepted_within(ledger, SurelyWithin.of(start, end)),
        not_sent=lambda: delivered.not_sent_between(ledger, start, end),
    )


def note_export(ledger: Ledger, manifest: Manifest, dag_run: Any) -> None:
    """Append to the audit trail which day was exported, by whom, and the digest of its rows."""
    entry = AuditEntry(
        at=datetime.now(UTC),
        actor=actor_of(dag_run),
        action="report.exported",
        details={
            "day": manifest.day.isoformat(),
            "revision": manifest.revision,
            "rows": manifest.rows,
            "content_digest": manifest.content_digest,
            "run": run_of(dag_run),
        },
    )
    audit.note(ledger, entry)
