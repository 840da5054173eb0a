"""How complete delivery data is, as the manifests of its days say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from genesys_cloud.reporting.reconciliation import NotSent


@dataclass(frozen=True, kw_only=True)
class Day:
    """What is known of one UTC day; None stands for what its manifest does not say.

    `found` is False where the day has no partition. `missing` counts the messages that Genesys
    has beyond the files, and is 0 where its count is approximate; `ended` is False for an export of
    a day that was still running.
    """

    day: date
    found: bool = True
    rows: int = 0
    api_total: int | None = None
    missing: int | None = None
    duplicates: int | None = None
    outside: int | None = None
    test_messages: int | None = None
    complete: bool | None = None
    ended: bool | None = None
    in_api_not_in_ledger: int | None = None
    in_ledger_not_in_api: int | None = None
    status_differs: int | None = None
    moved_forward: int | None = None
    not_sent: NotSent | None = None
    interval: tuple[datetime, datetime] | None = None
    watermark: datetime | None = None
    content_digest: str | None = None
    revision: int | None = None
    changes: Mapping[str, Any] | None = None

    @property
    def state(self) -> str:
        """The day in a word or two."""
        if not self.found:
            return "no partition"
        if self.ended is False:
            return "day not ended"
        if self.missing or self.complete is False:
            return "messages missing"
        return "complete" if self.complete else "unknown"


def day_of(manifest: Mapping[str, Any]) -> Day:
    """Read a manifest of this or an earlier version."""
    rows, total = int(manifest["rows"]), manifest.get("apiTotal")
    outside = manifest.get("outsideInterval")
    compared = manifest.get("reconciliation") or {}
    changes = manifest.get("changes")
    return Day(
        day=date.fromisoformat(manifest["day"]),
        rows=rows,
        api_total=total,
        missing=_missing(manifest, total),
        duplicates=manifest.get("duplicatesDropped"),
        outside=outside,
        # Before there were tests no manifest counts them.
        test_messages=manifest.get("testMessages", 0),
        complete=manifest.get("complete"),
        ended=manifest.get("dayEnded"),
        in_api_not_in_ledger=compared.get("inApiNotInLedger", manifest.get("notInLedger")),
        in_ledger_not_in_api=compared.get("inLedgerNotInApi"),
        status_differs=compared.get("statusDiffers"),
        moved_forward=compared.get("movedForward"),
        not_sent=manifest.get("notSent"),
        interval=_interval(manifest),
        watermark=_time(manifest.get("watermark")),
        content_digest=manifest.get("contentDigest"),
        revision=manifest.get("revision"),
        changes=changes if isinstance(changes, Mapping) else None,
    )


def _missing(manifest: Mapping[str, Any], total: int | None) -> int | None:
    if total is None:
        return None
    # An export that is there was read until nothing new came; such a total says no more.
    if manifest.get("totalIsApproximate"):
        return 0
    return max(total - int(manifest["rows"]) - (manifest.get("outsideInterval") or 0), 0)


def total_of(days: Sequence[Day], name: str) -> int | None:
    """Add up what the days say; None where a day that has a partition does not say it."""
    said = [getattr(day, name) for day in days if day.found]
    return None if not said or None in said else sum(said)


def unsent(days: Iterable[Day]) -> Counter[tuple[str, str]]:
    """Count, by state and reason, the recipients of all campaigns who got no message."""
    counts: Counter[tuple[str, str]] = Counter()
    for day in days:
        for states in (day.not_sent or {}).values():
            for state, reasons in states.items():
                counts.update({(state, reason): number for reason, number in reasons.items()})
    return counts


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The completeness of all days in a few words; `good` where nothing is missing."""

    good: bool
    words: str


def verdict(days: Sequence[Day], rows: str) -> Verdict:
    """Judge days by the worst of them; `rows` is their number of rows in words."""
    absent = sum(not day.found for day in days)
    if absent:
        return Verdict(good=False, words=f"Incomplete: {absent} of {_days(len(days))} missing")
    states = {day.state for day in days}
    if states == {"complete"}:
        return Verdict(good=True, words=f"Complete: {rows}")
    if "messages missing" in states:
        return Verdict(good=False, words="Incomplete: messages are missing")
    if "day not ended" in states:
        return Verdict(good=False, words="Incomplete: the day had not ended")
    return Verdict(good=False, words="Completeness unknown")


def _days(number: int) -> str:
    return f"{number} {'day' if number == 1 else 'days'}"


def _interval(manifest: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    start, end = _time(manifest.get("intervalStart")), _time(manifest.get("intervalEnd"))
    return (start, end) if start and end else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
