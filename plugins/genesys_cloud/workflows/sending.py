"""Sends one shard: claim a small batch, commit the attempt, post, record; again until none is left.

No transaction is open while a request is under way: a slow answer must not hold a database lock.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from genesys_cloud.errors import (
    AuthenticationError,
    LedgerUnavailableError,
    NotSentError,
    ThrottledError,
    TokenRefusedError,
)
from genesys_cloud.ledger import holding, recovery, sends
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.outcomes import LATE, NOT_ATTEMPTED, Outcome, record
from genesys_cloud.ledger.sends import Batch
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.outbound.messages import State
from genesys_cloud.outbound.pacing import Limit, batch_limit, lateness_us
from genesys_cloud.outbound.quiet_hours import QuietHours
from genesys_cloud.outbound.stats import NO_STATS, Stats
from genesys_cloud.workflows.clock import Clock, sleep_until
from genesys_cloud.workflows.fan_out import THREADS, FanOut
from genesys_cloud.workflows.posting import Attempt, Gateway
from genesys_cloud.workflows.task_metrics import count_batch, count_wait

log = logging.getLogger(__name__)

BATCH = 4 * THREADS
"""Most messages in one batch: what a crash can leave in doubt."""

HORIZON = timedelta(seconds=1)
"""How far ahead a worker reserves slots that others could use."""

LEAD = timedelta(milliseconds=100)
"""How long before a batch's first slot its attempt is committed, so that the commit makes no post
late."""

START_WINDOW = timedelta(seconds=30)
"""How long after the attempt was committed a post may still begin."""

PATIENCE_S = 60.0
"""The longest wait that a task sits out; a longer one is left to the task's retry."""

LEDGER_AGAIN_S = 1.0
"""How long a task waits before it tries again to record outcomes in a ledger that was away."""

LOOK_AGAIN_S = 5.0
"""How often a task that waits for another worker's lease looks whether it is still needed."""

MOST_SETBACKS = 8
"""Batches in a row without one clear answer, after which the task gives up until its retry."""

WAITING_CURES = (ThrottledError, NotSentError, TokenRefusedError)
"""Obstacles that may pass while a task waits."""


def lease_for(timeout_s: float, start_window: timedelta = START_WINDOW) -> timedelta:
    """Return a lease that outlasts every request which began within the start window.

    A request may take a connect and a read timeout, twice where the token is refreshed between.
    """
    return start_window + timedelta(seconds=4 * timeout_s)


def send_shard(
    ledger: Ledger,
    gateway: Gateway,
    shard: Shard,
    *,
    limits: Sequence[Limit],
    timeout_s: float,
    start_window: timedelta = START_WINDOW,
    batch: int = BATCH,
    clock: Clock | None = None,
    quiet: QuietHours | None = None,
    stats: Stats = NO_STATS,
) -> Counter[str]:
    """Send what is planned in a shard, and return how many messages ended in which state.

    `limits` begins with the account's, which a 429 holds back for everybody. What meets `quiet`
    hours is held; where any message has some, they must be given. Stops early, without an error,
    when the campaign is paused or cancelled, or planned otherwise. Raises the error that stands in
    the way when a retry of the task is the right thing; every outcome so far is recorded by then.
    """
    with FanOut() as fan_out:
        return _ShardSender(
            ledger=ledger,
            gateway=gateway,
            shard=shard,
            limits=limits,
            start_window=start_window,
            lease=lease_for(timeout_s, start_window),
            clock=clock or Clock(),
            quiet=quiet,
            stats=stats,
            fan_out=fan_out,
            largest=batch,
            most=batch,
        ).run()


@dataclass(kw_only=True)
class _ShardSender:
    """One send task's work on one shard."""

    ledger: Ledger
    gateway: Gateway
    shard: Shard
    limits: Sequence[Limit]
    start_window: timedelta
    lease: timedelta
    clock: Clock
    quiet: QuietHours | None
    stats: Stats
    fan_out: FanOut
    tally: Counter[str] = field(default_factory=Counter)
    setbacks: int = 0
    largest: int
    most: int

    def run(self) -> Counter[str]:
        """Claim and send batches until nothing is left or the campaign may not send."""
        horizon_us = HORIZON // timedelta(microseconds=1)
        waits_since: datetime | None = None
        while True:
            most = batch_limit(self.limits, horizon_us=horizon_us, most=self.most)
            now = self.clock.now()
            batch = sends.claim(
                self.ledger,
                self.shard,
                self.limits,
                most=most,
                now=now,
                lease=self.lease,
                quiet=self.quiet,
            )
            if batch.shut:
                self.tally["held"] += holding.hold(self.ledger, self.shard, batch.shut, now)
            if not batch.active:
                why = "is paused or cancelled, or its plan is another by now, or not approved"
                log.warning("shard %s: its campaign %s", self.shard.number, why)
                return self.tally
            if batch.claims:
                count_wait(self.stats, batch, waits_since or now)
                waits_since = None
                self._send(batch)
            elif batch.wait_until is not None:
                waits_since = waits_since or now
                sleep_until(batch.wait_until, self.clock)
            elif not batch.shut and not self._take_over():
                return self.tally

    def _take_over(self) -> bool:
        """Settle what dead workers left; return whether there is, or may soon be, more to do."""
        ends = recovery.lease_ends(self.ledger, self.shard)
        if ends is None:
            return False
        wait = (ends - self.clock.now()).total_seconds()
        if wait > 0:
            log.info("shard %s waits %.0f s for another's lease", self.shard.number, wait)
            self.clock.sleep(min(wait + 0.01, LOOK_AGAIN_S))
        self.tally["unknown"] += recovery.recover(self.ledger, self.clock.now(), shard=self.shard)
        return True

    def _send(self, batch: Batch) -> None:
        """Commit the attempt, post the batch, record it; wait or raise where it met an obstacle."""
        sleep_until(batch.slots[0] - LEAD, self.clock)
        now = self.clock.now()
        batch = sends.begin_attempt(self.ledger, batch, now=now, lease=self.lease)
        if not batch.claims:
            return
        deadline = min(filter(None, (now + self.start_window, batch.deadline)))
        attempt = Attempt(
            gateway=self.gateway,
            clock=self.clock,
            deadline=deadline,
            lateness=timedelta(microseconds=lateness_us(self.limits)),
        )
        outcomes = self.fan_out.post(attempt, batch, now)
        count_batch(self.stats, outcomes, attempt.waits, self.clock.jitter())
        error = _worst(attempt.errors)
        self._adapt(outcomes)
        self.tally.update(o.state.value for o in outcomes if o.state is not State.PLANNED)
        tried = [o for o in outcomes if o.reason_code not in {LATE, NOT_ATTEMPTED}]
        stuck = tried and all(outcome.state is State.PLANNED for outcome in tried)
        self.setbacks = self.setbacks + 1 if stuck else 0
        wait = _wait_s(error, self.setbacks, self.clock)
        pause = max(attempt.pauses, default=0.0)
        if isinstance(error, ThrottledError):
            pause = max(pause, wait)
        now = self.clock.now()
        hold_back = (self.limits[0], now + timedelta(seconds=pause)) if pause else None
        self._record(outcomes, hold_back, until=now + self.lease)
        if error is not None:
            self._get_over(error, wait)

    def _record(
        self, outcomes: Sequence[Outcome], hold_back: tuple[Limit, datetime] | None, until: datetime
    ) -> None:
        """Record a batch; where the ledger is away, try again for as long as the lease may last.

        These outcomes are known here and nowhere else: given up, they would be unknown.
        """
        while True:
            now = self.clock.now()
            try:
                record(self.ledger, outcomes, now=now, hold_back=hold_back)
            except LedgerUnavailableError:
                if now >= until:
                    raise
                log.warning("shard %s: the ledger is away, trying again", self.shard.number)
                self.clock.sleep(LEDGER_AGAIN_S)
            else:
                return

    def _adapt(self, outcomes: Sequence[Outcome]) -> None:
        """Halve the batch where answers were so slow that messages missed their slots."""
        late = any(outcome.reason_code == LATE for outcome in outcomes)
        least = min(THREADS, self.largest)
        self.most = max(least, self.most // 2) if late else min(self.largest, self.most * 2)

    def _get_over(self, error: Exception, wait: float) -> None:
        """Sit out a short obstacle; raise one that waiting does not cure, or that lasts."""
        # Credentials that worked a moment ago are right, whatever the login host says now.
        worked = isinstance(error, AuthenticationError) and self.tally["accepted"]
        curable = worked or isinstance(error, WAITING_CURES)
        if not curable or self.setbacks >= MOST_SETBACKS or wait > PATIENCE_S:
            raise error
        log.warning("shard %s waits %.1f s: %s", self.shard.number, wait, error)
        if not isinstance(error, ThrottledError):  # a gate makes the next claim wait by itself
            self.clock.sleep(wait)


def _worst(errors: Sequence[Exception]) -> Exception | None:
    """Return the error that decides how to go on: one that waiting can't cure comes first."""
    return next(
        (e for e in errors if not isinstance(e, WAITING_CURES)), errors[0] if errors else None
    )


def _wait_s(error: Exception | None, setbacks: int, clock: Clock) -> float:
    """Return seconds to wait: as told, else exponential from 1 s with full jitter above a half."""
    if error is None:
        return 0.0
    told = getattr(error, "retry_after", None)
    if told is not None:
        return float(told)
    return float(min(2 ** max(setbacks - 1, 0), PATIENCE_S)) * (0.5 + clock.jitter() / 2)
