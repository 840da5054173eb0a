"""One day's partition: files, figures, report and manifest, built beside it and put in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.deliveries import DeliveryPage
from genesys_cloud.reporting.changes import compare
from genesys_cloud.reporting.export import DayExport, export_day
from genesys_cloud.reporting.listing import Facts, no_lesson
from genesys_cloud.reporting.manifest import Manifest, Previous, moved_before, next_revision
from genesys_cloud.reporting.metrics import figures, to_json
from genesys_cloud.reporting.reconciliation import LedgerSide, Reconciliation
from genesys_cloud.reporting.reports import REPORTS, Source
from genesys_cloud.reporting.row_files import PARQUET
from genesys_cloud.reporting.tally_files import tally_file
from genesys_cloud.reporting.targets import (
    MANIFEST,
    ExportRoot,
    check_target,
    opened,
    read_manifest,
    staging,
)

METRICS = "metrics.json"


def build_partition(
    pages: Iterable[DeliveryPage],
    facts: Facts,
    root: ExportRoot,
    start: datetime,
    end: datetime,
    *,
    states: Mapping[str, int] | None = None,
    ledger: LedgerSide | None = None,
    day_ended: bool = True,
) -> Manifest:
    """Export the messages created in [start, end) as that UTC day's partition, and prove it.

    `states` counts the day's recipients by campaign state, for the report's funnel; `ledger` learns
    what the list knows better and is held against it. The same data gives the same bytes. Where
    `day_ended` is False, or the interval is only a part of its day, the manifest says so. Raises
    ExportTargetError before the first page is fetched where `root` can't be written, and
    IncompleteExportError where messages are missing; the old partition then stays.
    """
    day = _check_interval(start, end)
    check_target(root)
    previous = read_manifest(root, day.date())
    with staging(root, day.date()) as directory:
        export = export_day(
            pages, facts, directory, start, end, learn=ledger.learn if ledger else no_lesson
        )
        manifest = _manifest(
            export,
            start,
            end,
            day_ended=day_ended and end == day + timedelta(days=1),
            previous=previous,
            changes=_changes(previous, export, root, day.date(), directory),
            ledger=ledger,
        )
        _describe(directory, manifest, states or {})
    return manifest


def _describe(directory: Path, manifest: Manifest, states: Mapping[str, int]) -> None:
    """Write the figures, the reports and the manifest beside the rows."""
    tallies = tally_file(directory / PARQUET)
    metrics = figures(tallies)
    source = Source(tallies=tallies, metrics=metrics, manifest=manifest, states=states)
    files = {METRICS: to_json(metrics), MANIFEST: manifest.to_json()}
    files |= {name: report(source) for name, report in REPORTS.items()}
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


def _changes(
    previous: Previous | None, export: DayExport, root: ExportRoot, day: date, directory: Path
) -> Mapping[str, Any] | None:
    """Return how the rows differ from those in place; where they do not, what is told already."""
    if previous is None:
        return None
    if previous.get("contentDigest") == export.content_digest:
        return previous.get("changes")
    with opened(root, day, PARQUET) as old:
        if old is None:
            return None
        return compare(old, directory / PARQUET, since=int(previous["revision"])).as_dict()


def _manifest(
    export: DayExport,
    start: datetime,
    end: datetime,
    *,
    day_ended: bool,
    previous: Previous | None,
    changes: Mapping[str, Any] | None,
    ledger: LedgerSide | None,
) -> Manifest:
    counted = export.counted
    revision = next_revision(previous, export.content_digest)
    return Manifest(
        day=start.astimezone(UTC).date(),
        interval_start=start,
        interval_end=end,
        day_ended=day_ended,
        api_total=export.api_total,
        total_is_approximate=export.total_is_approximate,
        rows=counted.rows,
        pages=export.pages,
        passes=export.passes,
        duplicates_dropped=export.duplicates_dropped,
        outside_interval=counted.outside_interval,
        not_in_ledger=counted.not_in_ledger,
        test_messages=counted.tests,
        complete=None if export.api_total is None and day_ended else day_ended,
        watermark=counted.watermark or end,
        content_digest=export.content_digest,
        revision=revision,
        changes=changes,
        reconciliation=Reconciliation(
            in_api_not_in_ledger=counted.not_in_ledger,
            in_ledger_not_in_api=max(0, ledger.accepted() - counted.judged) if ledger else None,
            status_differs=counted.status_differs,
            moved_forward=export.moved_forward + moved_before(previous),
        ),
        not_sent=ledger.not_sent() if ledger else {},
        is_new=previous is None or previous["revision"] != revision,
    )


def _check_interval(start: datetime, end: datetime) -> datetime:
    """Return the midnight that begins the day of the interval; raise where it is not in one day."""
    if start.tzinfo is None or end.tzinfo is None:
        raise CampaignDefinitionError(
            f"The interval {start} to {end} has no time zone. Give both times in UTC."
        )
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if not start < end <= midnight + timedelta(days=1):
        raise CampaignDefinitionError(
            f"The interval {start} to {end} is not within one UTC day, and a partition is one day. "
            "Run each day by itself."
        )
    return midnight
