"""What machines are told of the system: the names of its metrics, and the port they leave by.

Nobody here knows of StatsD or OpenTelemetry: who runs in Airflow brings what sends them. The names
are in docs/metrics.md too, and dashboards depend on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import NamedTuple, Protocol


class Kind(StrEnum):
    """How a metric is told."""

    COUNTER = "counter"  # how many more
    TIMER = "timer"  # how many milliseconds it took this time
    GAUGE = "gauge"  # how many there are now


class Described(NamedTuple):
    """A metric's name without Airflow's prefix, what is counted, and what it means."""

    name: str
    kind: Kind
    unit: str
    meaning: str


_C, _T, _G = Kind.COUNTER, Kind.TIMER, Kind.GAUGE


class Metric(Enum):
    """Every metric there is."""

    PLAN_RECIPIENTS = Described("genesys.plan.recipients", _C, "recipients", "read and decided")
    PLAN_PLANNED = Described("genesys.plan.planned", _C, "recipients", "to be written to")
    PLAN_HELD = Described("genesys.plan.held", _C, "recipients", "of these, in their quiet hours")
    PLAN_BLOCKED = Described("genesys.plan.blocked", _C, "recipients", "not to be written to")

    SENDS_ATTEMPTED = Described("genesys.sends.attempted", _C, "messages", "posted")
    SENDS_ACCEPTED = Described("genesys.sends.accepted", _C, "messages", "Genesys took them")
    SENDS_REJECTED = Described("genesys.sends.rejected", _C, "messages", "Genesys refused them")
    SENDS_UNKNOWN = Described("genesys.sends.unknown", _C, "messages", "no clear answer came")
    SENDS_DEFERRED = Described("genesys.sends.deferred", _C, "messages", "to be tried again")
    SEND_DURATION = Described(
        "genesys.send.duration", _T, "ms", "an accepted request, one of each batch, by chance"
    )
    GATE_WAIT = Described(
        "genesys.gate.wait", _T, "ms", "how long a batch of sends waits for the rate limits"
    )

    EVENTS_RECEIVED = Described("genesys.events.received", _C, "events", "genuine, and kept")
    EVENTS_APPLIED = Described("genesys.events.applied", _C, "events", "they moved a message")
    EVENTS_STALE = Described("genesys.events.stale", _C, "events", "their message was further")
    EVENTS_PARKED = Described("genesys.events.parked", _C, "events", "of a message not yet known")
    EVENTS_DUPLICATE = Described("genesys.events.duplicate", _C, "events", "had come before")
    EVENTS_UNKNOWN_STATUS = Described(
        "genesys.events.unknown_status", _C, "events", "with a word that nobody knows"
    )
    EVENTS_AMBIGUOUS = Described(
        "genesys.events.ambiguous", _C, "events", "Genesys is asked what they mean"
    )
    EVENTS_IGNORED = Described("genesys.events.ignored", _C, "events", "of no consequence")
    EVENTS_FAILED = Described("genesys.events.failed", _C, "events", "could not be counted")
    EVENTS_REFUSED = Described(
        "genesys.events.refused",
        _C,
        "requests",
        "turned away, with the HTTP status as tag `status`",
    )
    EVENTS_COMMIT = Described(
        "genesys.events.commit", _T, "ms", "one transaction that counts a batch"
    )
    EVENTS_WAITING = Described(
        "genesys.events.waiting", _G, "events", "parked now; looked at every 15 minutes"
    )

    SPOOL_KEPT = Described("genesys.spool.kept", _C, "events", "kept on disk: the ledger is away")
    SPOOL_REPLAYED = Described("genesys.spool.replayed", _C, "events", "counted from the disk")
    SPOOL_BYTES = Described("genesys.spool.bytes", _G, "bytes", "on disk, of one receiver")

    RECONCILED_RECOVERED = Described(
        "genesys.reconciled.recovered", _C, "messages", "left in doubt by workers that died"
    )
    RECONCILED_FOUND = Described(
        "genesys.reconciled.found", _C, "messages", "unknown ones that Genesys has"
    )
    RECONCILED_LEFT = Described(
        "genesys.reconciled.left", _G, "messages", "unknown ones that a person has to settle"
    )
    STATUSES_MOVED = Described(
        "genesys.statuses.moved", _C, "messages", "Genesys, asked, knew of a later status"
    )

    REPORT_ROWS = Described("genesys.report.rows", _C, "rows", "written to a day's partition")
    REPORT_INCOMPLETE = Described(
        "genesys.report.incomplete", _C, "exports", "of a day that is not whole"
    )
    REPORT_DURATION = Described("genesys.report.duration", _T, "ms", "the export of a day")


class Stats(Protocol):
    """Where metrics go; nothing raises, and nothing is waited for.

    `tags` are kept where the backend can. Their values are few: a tag's every value is a series.
    """

    def incr(
        self, metric: Metric, count: int = 1, *, tags: Mapping[str, str] | None = None
    ) -> None:
        """Add to a counter."""

    def timing(self, metric: Metric, ms: float, *, tags: Mapping[str, str] | None = None) -> None:
        """Tell how long something took, in milliseconds."""

    def gauge(self, metric: Metric, value: float) -> None:
        """Tell how many there are now."""


class NoStats:
    """Counts nothing."""

    def incr(
        self, metric: Metric, count: int = 1, *, tags: Mapping[str, str] | None = None
    ) -> None:
        """Do nothing."""

    def timing(self, metric: Metric, ms: float, *, tags: Mapping[str, str] | None = None) -> None:
        """Do nothing."""

    def gauge(self, metric: Metric, value: float) -> None:
        """Do nothing."""


NO_STATS = NoStats()
