"""Where events go: into the ledger, and into the spool while the ledger is away.

Everything here blocks and runs in threads. One thread counts what arrives; another one, as long as
it is needed, waits for the ledger to be back and replays the spool.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from genesys_cloud.errors import CampaignError, LedgerUnavailableError
from genesys_cloud.ledger import events
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.events import Effect
from genesys_cloud.outbound.opt_outs import Arrival
from genesys_cloud.outbound.stats import NO_STATS, Metric, Stats
from genesys_cloud.policies import read_failures
from genesys_cloud.webhook.config import ConfigSource
from genesys_cloud.webhook.spool import Spool, SpoolFullError, general_failure

log = logging.getLogger(__name__)

SPOOLED = "spooled"
"""What is answered for an event that waits on disk for the ledger."""

PATIENCE_S = 4
"""How long a transaction waits for a lock or a connection; Genesys waits 10 s for its answer."""

PROBE_S = 0.5
"""Seconds between two looks whether the ledger is back."""

EFFECTS = {
    Effect.APPLIED: Metric.EVENTS_APPLIED,
    Effect.STALE: Metric.EVENTS_STALE,
    Effect.PARKED: Metric.EVENTS_PARKED,
    Effect.UNKNOWN_STATUS: Metric.EVENTS_UNKNOWN_STATUS,
    Effect.DUPLICATE: Metric.EVENTS_DUPLICATE,
    Effect.AMBIGUOUS: Metric.EVENTS_AMBIGUOUS,
    Effect.IGNORED: Metric.EVENTS_IGNORED,
}
"""What machines are told of an event that was counted."""

Outcome = str | Exception
"""What an event did, or why it alone could not be counted."""

Apply = Callable[[Sequence[Arrival]], Sequence[str]]


class Condition(StrEnum):
    """How the receiver is."""

    OK = "ok"
    SPOOLING = "spooling"  # the ledger is away, or just back; events are taken and kept
    FULL = "full"  # events are turned away


class Counting:
    """Counts events, in the ledger or by way of the spool; `sleep` is what waits for the ledger."""

    def __init__(
        self,
        source: ConfigSource,
        *,
        stats: Stats = NO_STATS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source = source
        self._stats = stats
        self._sleep = sleep
        self._lock = threading.Lock()
        # A lock of its own: who spools shall not wait for who tries to open the ledger.
        self._opening = threading.Lock()
        self._ledger: Ledger | None = None
        self._ledger_url = ""
        self._spool: Spool | None = None
        self._is_away = self._is_full = False
        self._replayer: threading.Thread | None = None

    def begin(self) -> None:
        """Take over what receivers that have ended left in the spool."""
        self._opened_spool().adopt()
        self._stats.gauge(Metric.SPOOL_BYTES, self.spooled_bytes)
        self._replay_if_needed()

    def count(self, batch: Sequence[Arrival]) -> Sequence[Outcome]:
        """Return what each event did; raises CampaignError where none can be counted or kept."""
        outcomes = self._counted_or_kept(batch)
        self._stats.incr(Metric.EVENTS_RECEIVED, _taken(outcomes))
        return outcomes

    def _counted_or_kept(self, batch: Sequence[Arrival]) -> Sequence[Outcome]:
        if not self._is_away:
            try:
                outcomes = self._count_in_ledger(batch)
            except LedgerUnavailableError as error:
                self._is_away = True
                log.error("status events go to the spool until the ledger is back: %s", error)
            else:
                self._tell(outcomes)
                return outcomes
        try:
            return self._keep(batch)
        finally:
            self._replay_if_needed()

    def close(self) -> None:
        """Close the ledger."""
        with self._opening:
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None

    @property
    def condition(self) -> Condition:
        """How the receiver is now."""
        if self._is_away and self._is_full:
            return Condition.FULL
        waiting = self._spool is not None and self._spool.waiting
        return Condition.SPOOLING if self._is_away or waiting else Condition.OK

    @property
    def spooled_bytes(self) -> int:
        """How much waits on disk for the ledger."""
        return self._spool.size if self._spool else 0

    def _keep(self, batch: Sequence[Arrival]) -> Sequence[Outcome]:
        try:
            self._opened_spool().append(batch)
        except SpoolFullError as error:
            self._is_full = True
            raise LedgerUnavailableError(str(error)) from error
        self._is_full = False
        self._stats.incr(Metric.SPOOL_KEPT, len(batch))
        self._stats.gauge(Metric.SPOOL_BYTES, self.spooled_bytes)
        return [SPOOLED] * len(batch)

    def _count_in_ledger(self, batch: Sequence[Arrival]) -> Sequence[Outcome]:
        ledger = self._opened_ledger()
        began = time.perf_counter()
        outcomes = isolated(lambda part: events.apply(ledger, part, datetime.now(UTC)), batch)
        self._is_away = False
        if batch:
            self._stats.timing(Metric.EVENTS_COMMIT, (time.perf_counter() - began) * 1000)
        return outcomes

    def _count_again(self, batch: Sequence[Arrival]) -> Sequence[Outcome]:
        """Count events of the spool; what the spool keeps to try once more is told of then."""
        outcomes = self._count_in_ledger(batch)
        if general_failure(outcomes) is None:
            self._tell(outcomes)
            self._stats.incr(Metric.SPOOL_REPLAYED, _taken(outcomes))
        return outcomes

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        for metric, many in Counter(map(_metric, outcomes)).items():
            self._stats.incr(metric, many)

    def _opened_ledger(self) -> Ledger:
        config = self._source.read()
        with self._opening:
            if self._ledger is None or self._ledger_url != config.ledger_url:
                if self._ledger is not None:
                    self._ledger.close()
                    self._ledger = None
                self._ledger = open_ledger(
                    config.ledger_url,
                    patience_s=PATIENCE_S,
                    failures=read_failures(config.include_dir),
                )
                self._ledger_url = config.ledger_url
            return self._ledger

    def _opened_spool(self) -> Spool:
        config = self._source.read()
        with self._lock:
            if self._spool is None:
                self._spool = Spool(config.spool, config.spool_bytes)
            return self._spool

    def _replay_if_needed(self) -> None:
        with self._lock:
            if self._replayer is None and self._owes_a_replay():
                self._replayer = threading.Thread(
                    target=self._replay, name="spool-replay", daemon=True
                )
                self._replayer.start()

    def _owes_a_replay(self) -> bool:
        return self._is_away or (self._spool is not None and self._spool.waiting)

    def _replay(self) -> None:
        """Wait until the ledger is back and the spool is empty."""
        while True:
            try:
                self._count_in_ledger([])  # whether the ledger is back, even with nothing to replay
                self._opened_spool().replay(self._count_again)
            except CampaignError as error:
                log.info("the ledger is still away: %s", error)
            except Exception:
                log.exception("the spool could not be replayed; it is tried again")
            self._stats.gauge(Metric.SPOOL_BYTES, self.spooled_bytes)
            with self._lock:
                if not self._owes_a_replay():
                    self._replayer = None
                    log.warning("the spool is replayed: the ledger has all its events")
                    return
            self._sleep(PROBE_S)


def _taken(outcomes: Sequence[Outcome]) -> int:
    return sum(not isinstance(outcome, Exception) for outcome in outcomes)


def _metric(outcome: Outcome) -> Metric:
    return Metric.EVENTS_FAILED if isinstance(outcome, Exception) else EFFECTS[Effect(outcome)]


def isolated(apply: Apply, batch: Sequence[Arrival]) -> Sequence[Outcome]:
    """Apply a batch in one transaction; where that fails, find whom it fails for.

    Raises CampaignError, which is no event's fault, as it comes.
    """
    try:
        return apply(batch)
    except CampaignError:
        raise
    except Exception as error:
        if not batch:
            raise
        if len(batch) == 1:
            return [error]
        middle = len(batch) // 2
        return [*isolated(apply, batch[:middle]), *isolated(apply, batch[middle:])]
