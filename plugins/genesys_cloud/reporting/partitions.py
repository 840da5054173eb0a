"""One day's partition: files, figures, report and manifest, built beside it and put in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from genesys_cloud.errors import CampaignDefinitionError
from genesys_cloud.outbound.deliveries import DeliveryPage
from genesys_cloud.reporting.export import DayExport, Facts, export_day
from genesys_cloud.reporting.frames import to_frame
from genesys_cloud.reporting.manifest import Manifest, next_revision
from genesys_cloud.reporting.metrics import day_metrics, to_json
from genesys_cloud.reporting.reports import REPORTS, Source
from genesys_cloud.reporting.targets import (
    MANIFEST,
    ExportRoot,
    check_target,
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
) -> Manifest:
    """Export the messages created in [start, end) as that UTC day's partition, and prove it.

    `states` counts the day's recipients by campaign state, for the report's funnel. The same data
    gives the same bytes. Raises ExportTargetError before the first page is fetched where `root`
    can't be written, and IncompleteExportError where messages are missing; the old partition then
    stays.
    """
    day = _check_interval(start, end)
    check_target(root)
    previous = read_manifest(root, day.date())
    with staging(root, day.date()) as directory:
        export = export_day(pages, facts, directory, start, end)
        manifest = _manifest(export, start, end, next_revision(previous, export.content_digest))
        _describe(directory, export, manifest, states or {})
    return manifest


def _describe(
    directory: Path, export: DayExport, manifest: Manifest, states: Mapping[str, int]
) -> None:
    """Write the figures, the reports and the manifest beside the rows."""
    frame = to_frame(export.table)
    metrics = day_metrics(frame)
    source = Source(frame=frame, metrics=metrics, manifest=manifest, states=states)
    files = {METRICS: to_json(metrics), MANIFEST: manifest.to_json()}
    files |= {name: report(source) for name, report in REPORTS.items()}
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


def _manifest(export: DayExport, start: datetime, end: datetime, revision: int) -> Manifest:
    return Manifest(
        day=start.astimezone(UTC).date(),
        interval_start=start,
        interval_end=end,
        api_total=export.api_total,
        rows=export.rows,
        pages=export.pages,
        duplicates_dropped=export.duplicates_dropped,
        outside_interval=export.outside_interval,
        not_in_ledger=export.not_in_ledger,
        complete=None if export.api_total is None else True,
        watermark=export.watermark or end,
        content_digest=export.content_digest,
        revision=revision,
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
