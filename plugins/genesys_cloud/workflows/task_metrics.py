"""What machines are told of what tasks do: a few numbers a batch, however many messages it had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from genesys_cloud.ledger.outcomes import LATE, NOT_ATTEMPTED, Outcome
from genesys_cloud.ledger.sends import Batch
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.stats import Metric, Stats

if TYPE_CHECKING:
    from genesys_cloud.reporting.manifest import Manifest
    from genesys_cloud.workflows.planning import PlanReport

ENDS = {
    State.ACCEPTED: Metric.SENDS_ACCEPTED,
    State.REJECTED: Metric.SENDS_REJECTED,
    State.UNKNOWN: Metric.SENDS_UNKNOWN,
    State.PLANNED: Metric.SENDS_DEFERRED,
}
"""What became of a message that was posted."""


def count_plan(stats: Stats, report: PlanReport) -> None:
    """Tell what a planning decided."""
    stats.incr(Metric.PLAN_RECIPIENTS, report.recipients)
    stats.incr(Metric.PLAN_PLANNED, report.planned)
    stats.incr(Metric.PLAN_HELD, report.held)
    stats.incr(Metric.PLAN_BLOCKED, report.blocked.total())


def count_wait(stats: Stats, batch: Batch, since: datetime) -> None:
    """Tell how long the rate limits have let a batch wait that has its slots now."""
    stats.timing(Metric.GATE_WAIT, max(0.0, (batch.slots[0] - since).total_seconds() * 1000))


def count_batch(
    stats: Stats, outcomes: Sequence[Outcome], waits: Sequence[float], chance: float
) -> None:
    """Tell what became of a batch, and of one of its `waits`, in s, which `chance` picks.

    One, for each number that is told costs as much as a tenth of a message.
    """
    tried = [one for one in outcomes if one.reason_code not in {LATE, NOT_ATTEMPTED}]
    if not tried:
        return
    # Without its prefix: StatsD takes a colon for the end of a name.
    tags = {"channel": tried[0].claim.message.channel.rpartition(":")[2]}
    stats.incr(Metric.SENDS_ATTEMPTED, len(tried), tags=tags)
    for state, many in Counter(one.state for one in tried).items():
        stats.incr(ENDS[state], many, tags=tags)
    if waits:
        drawn = waits[min(int(chance * len(waits)), len(waits) - 1)]
        stats.timing(Metric.SEND_DURATION, drawn * 1000, tags=tags)


def count_reconciled(
    stats: Stats, *, recovered: int, found: int, left: int, moved: int, parked: int
) -> None:
    """Tell what a reconciliation settled, and what it left."""
    stats.incr(Metric.RECONCILED_RECOVERED, recovered)
    stats.incr(Metric.RECONCILED_FOUND, found)
    stats.gauge(Metric.RECONCILED_LEFT, left)
    stats.incr(Metric.STATUSES_MOVED, moved)
    stats.gauge(Metric.EVENTS_WAITING, parked)


def count_export(stats: Stats, manifest: Manifest, seconds: float) -> None:
    """Tell of a day's export."""
    stats.timing(Metric.REPORT_DURATION, seconds * 1000)
    stats.incr(Metric.REPORT_ROWS, manifest.rows)
    stats.incr(Metric.REPORT_INCOMPLETE, int(manifest.complete is False))
