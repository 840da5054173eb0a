"""Stats for tests that need no server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from genesys_cloud.outbound.stats import Kind, Metric


@dataclass(kw_only=True)
class Told:
    """Stats that remember what they were told."""

    calls: list[tuple[Metric, float, Mapping[str, str]]] = field(default_factory=list)

    def incr(
        self, metric: Metric, count: int = 1, *, tags: Mapping[str, str] | None = None
    ) -> None:
        assert metric.value.kind is Kind.COUNTER
        self.calls.append((metric, count, tags or {}))

    def timing(self, metric: Metric, ms: float, *, tags: Mapping[str, str] | None = None) -> None:
        assert metric.value.kind is Kind.TIMER
        self.calls.append((metric, ms, tags or {}))

    def gauge(self, metric: Metric, value: float) -> None:
        assert metric.value.kind is Kind.GAUGE
        self.calls.append((metric, value, {}))

    def sums(self) -> Counter[Metric]:
        found: Counter[Metric] = Counter()
        for metric, value, _ in self.calls:
            if metric.value.kind is Kind.COUNTER:
                found[metric] += int(value)
        return found
