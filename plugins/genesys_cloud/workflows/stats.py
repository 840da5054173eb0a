"""Metrics as Airflow sends them: to StatsD, DogStatsD or OpenTelemetry, as [metrics] says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats as airflows

from genesys_cloud.outbound.stats import NO_STATS, Metric, Stats

log = logging.getLogger(__name__)

SWITCHES = ("statsd_on", "statsd_datadog_enabled", "otel_on")
"""What turns metrics on in Airflow's section [metrics]."""


class AirflowStats:
    """Sends metrics through Airflow; what fails there is said once, and changes nothing here."""

    def __init__(self) -> None:
        self._has_failed = False

    def incr(
        self, metric: Metric, count: int = 1, *, tags: Mapping[str, str] | None = None
    ) -> None:
        """Add to a counter."""
        if count:
            self._tell(airflows.incr, metric, count, tags=dict(tags or {}))

    def timing(self, metric: Metric, ms: float, *, tags: Mapping[str, str] | None = None) -> None:
        """Tell how long something took, in milliseconds."""
        self._tell(airflows.timing, metric, ms, tags=dict(tags or {}))

    def gauge(self, metric: Metric, value: float) -> None:
        """Tell how many there are now."""
        self._tell(airflows.gauge, metric, value)

    def _tell(self, send: Any, metric: Metric, value: float, **tags: Any) -> None:
        try:
            send(metric.value.name, value, **tags)
        except Exception as error:
            if not self._has_failed:
                log.warning("metrics can't be sent: %s", error)
            self._has_failed = True


def airflow_stats() -> Stats:
    """Return what counts in a task: Airflow's metrics, or nothing where they are off."""
    if any(conf.getboolean("metrics", switch, fallback=False) for switch in SWITCHES):
        return AirflowStats()
    return NO_STATS


def server_stats() -> Stats:
    """Return the same for a process that is no task, in which Airflow has set nothing up."""
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

    airflows.initialize(
        factory=get_stats_factory(),
        export_legacy_names=conf.getboolean("metrics", "legacy_names_on"),
    )
    return airflow_stats()
