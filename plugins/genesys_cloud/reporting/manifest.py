"""The manifest of a partition: what was counted, how complete it is, and which revision it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The proof of one day's partition; every time is aware UTC.

    `api_total` is the count on the last page, None where the API gives none, and then `complete`
    is None too: unknown. `watermark` is the latest created date among the rows, or the interval's
    end where there is none. `content_digest` is the SHA-256 of deliveries.csv; `revision` grows by
    one whenever that digest changes.
    """

    day: date
    interval_start: datetime
    interval_end: datetime
    api_total: int | None
    rows: int
    pages: int
    duplicates_dropped: int
    outside_interval: int
    not_in_ledger: int
    complete: bool | None
    watermark: datetime
    content_digest: str
    revision: int

    def to_json(self) -> str:
        """Return the manifest as manifest.json holds it."""
        return json.dumps(self.as_dict(), indent=2) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """Return the manifest with its names in the file."""
        return {
            "day": self.day.isoformat(),
            "intervalStart": iso(self.interval_start),
            "intervalEnd": iso(self.interval_end),
            "apiTotal": self.api_total,
            "rows": self.rows,
            "pages": self.pages,
            "duplicatesDropped": self.duplicates_dropped,
            "outsideInterval": self.outside_interval,
            "notInLedger": self.not_in_ledger,
            "complete": self.complete,
            "watermark": iso(self.watermark),
            "contentDigest": self.content_digest,
            "revision": self.revision,
        }


def next_revision(previous: dict[str, Any] | None, content_digest: str) -> int:
    """Return 1 for a first export, the same number for the same content, one more for other."""
    if previous is None:
        return 1
    changed = previous.get("contentDigest") != content_digest
    return int(previous["revision"]) + int(changed)


def iso(moment: datetime) -> str:
    """Return an aware datetime as ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
