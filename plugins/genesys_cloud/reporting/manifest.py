"""The manifest of a partition: what was counted, how complete it is, and which revision it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from genesys_cloud.reporting.reconciliation import NotSent, Reconciliation

Previous = Mapping[str, Any]
"""An earlier revision's manifest, as its file has it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The proof of one day's partition; every time is aware UTC.

    `day_ended` is False where messages of the day were still to come. `api_total` is the count on
    the last page, None where the API gives none; `complete` is then None too, unknown, and False
    where the day had not ended. With `total_is_approximate` that count is about right.
    Of the `rows`, `test_messages` were sent as tests and are in no figure.
    `watermark` is the latest created date among the rows, or the interval's end where there is
    none. `content_digest` is the SHA-256 of deliveries.csv;
    `revision` grows by one whenever that digest changes, and `changes` says how: what
    `Changes.as_dict` gives, None for a first revision. `not_sent` counts recipients of the day's
    campaigns without a message, by campaign, state and reason. `is_new`, which the file does not
    have, says whether the revision was there before.
    """

    day: date
    interval_start: datetime
    interval_end: datetime
    day_ended: bool
    api_total: int | None
    total_is_approximate: bool
    rows: int
    pages: int
    passes: int
    duplicates_dropped: int
    outside_interval: int
    not_in_ledger: int
    test_messages: int
    complete: bool | None
    watermark: datetime
    content_digest: str
    revision: int
    changes: Mapping[str, Any] | None
    reconciliation: Reconciliation
    not_sent: NotSent
    is_new: bool = True

    def to_json(self) -> str:
        """Return the manifest as manifest.json holds it."""
        return json.dumps(self.as_dict(), indent=2) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """Return the manifest with its names in the file."""
        return {
            "day": self.day.isoformat(),
            "intervalStart": iso(self.interval_start),
            "intervalEnd": iso(self.interval_end),
            "dayEnded": self.day_ended,
            "apiTotal": self.api_total,
            "totalIsApproximate": self.total_is_approximate,
            "rows": self.rows,
            "pages": self.pages,
            "passes": self.passes,
            "duplicatesDropped": self.duplicates_dropped,
            "outsideInterval": self.outside_interval,
            "notInLedger": self.not_in_ledger,
            "testMessages": self.test_messages,
            "complete": self.complete,
            "watermark": iso(self.watermark),
            "contentDigest": self.content_digest,
            "revision": self.revision,
            "changes": self.changes,
            "reconciliation": self.reconciliation.as_dict(),
            "notSent": self.not_sent,
        }


def next_revision(previous: Previous | None, content_digest: str) -> int:
    """Return 1 for a first export, the same number for the same content, one more for other."""
    if previous is None:
        return 1
    changed = previous.get("contentDigest") != content_digest
    return int(previous["revision"]) + int(changed)


def moved_before(previous: Previous | None) -> int:
    """Return how many messages earlier exports of the day moved forward in the ledger."""
    counts = (previous or {}).get("reconciliation") or {}
    return int(counts.get("movedForward", 0))


def iso(moment: datetime) -> str:
    """Return an aware datetime as ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
