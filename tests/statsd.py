"""A StatsD server on loopback, and what it was told."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from genesys_cloud.outbound.stats import Stats


@dataclass(kw_only=True)
class StatsdServer:
    """What arrived: each line `name:value|kind` as it came."""

    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that make Airflow send its metrics here."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.port),
        }

    def counters(self) -> Counter[str]:
        """Return the sums of our counters, by name."""
        sums: Counter[str] = Counter()
        for name, value, kind in self._ours():
            if kind == "c":
                sums[name] += int(value)
        return sums

    def kinds(self) -> dict[str, str]:
        """Return how each of our metrics came: c, ms or g."""
        return {name: kind for name, _, kind in self._ours()}

    def gauge(self, name: str) -> float:
        """Return what a gauge shows."""
        return [float(value) for one, value, _ in self._ours() if one == name][-1]

    def _ours(self) -> Iterator[tuple[str, str, str]]:
        for line in list(self.lines):
            name, _, told = line.partition(":")
            value, _, kind = told.partition("|")
            if name.startswith("airflow.genesys."):
                yield name.removeprefix("airflow."), value, kind.partition("|")[0]


@contextmanager
def statsd_server() -> Iterator[StatsdServer]:
    """Listen until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        server = StatsdServer(port=listening.getsockname()[1])
        end = b"that is all"

        def listen() -> None:
            while (told := listening.recv(65_536)) != end:
                server.lines.extend(told.decode().splitlines())

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(end, ("127.0.0.1", server.port))
            thread.join()


@contextmanager
def airflow_tells(server: StatsdServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stats]:
    """Let Airflow, in this process, send its metrics to a server until the block ends."""
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

    from genesys_cloud.workflows.stats import server_stats

    with monkeypatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server_stats()
        backend: Any = stats.timer.__globals__["_get_backend"]()
        backend.statsd.close()
    stats.initialize(factory=get_stats_factory(), export_legacy_names=True)
