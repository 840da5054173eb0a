"""Metrics: how few a batch tells, and that their backend never matters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.observability import stats as airflows

from genesys_cloud.ledger.outcomes import LATE, NOT_ATTEMPTED, Outcome
from genesys_cloud.ledger.sends import Batch, Claim
from genesys_cloud.outbound.messages import OutboundMessage, State
from genesys_cloud.outbound.stats import NO_STATS, Metric
from genesys_cloud.workflows.stats import AirflowStats, airflow_stats
from genesys_cloud.workflows.task_metrics import count_batch, count_wait
from tests.ledger.planted import only_shard, plant
from tests.simulator.server import SimulatorProcess
from tests.statsd import airflow_tells, statsd_server
from tests.told import Told
from tests.workflows.sender import Sender

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def airflows_own() -> Iterator[None]:
    """Leave Airflow's metrics off, as they were."""
    yield
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

    airflows.initialize(factory=get_stats_factory(), export_legacy_names=True)


def outcome(state: State, reason_code: str | None = None) -> Outcome:
    """Return what became of a message on WhatsApp."""
    message = OutboundMessage(
        message_key="k",
        campaign_id="winter",
        channel="messaging:whatsapp",
        sender="whatsapp:+12025550100",
        recipient="whatsapp:+12025550143",
        text="Hello",
        consent_verified=True,
    )
    return Outcome(
        claim=Claim(id=1, fence=1, message=message), state=state, reason_code=reason_code
    )


def test_a_batch_tells_what_became_of_it_in_a_few_numbers() -> None:
    told = Told()
    outcomes = [
        *[outcome(State.ACCEPTED)] * 60,
        *[outcome(State.REJECTED)] * 2,
        outcome(State.UNKNOWN, "no_clear_answer"),
        outcome(State.PLANNED, "throttled"),
        # These two were never posted.
        outcome(State.PLANNED, NOT_ATTEMPTED),
        outcome(State.PLANNED, LATE),
    ]

    count_batch(told, outcomes, [0.010, 0.020, 0.030, 0.040], chance=0.5)

    assert told.sums() == {
        Metric.SENDS_ATTEMPTED: 64,
        Metric.SENDS_ACCEPTED: 60,
        Metric.SENDS_REJECTED: 2,
        Metric.SENDS_UNKNOWN: 1,
        Metric.SENDS_DEFERRED: 1,
    }
    assert told.calls[-1] == (Metric.SEND_DURATION, 30.0, {"channel": "whatsapp"})
    assert len(told.calls) == 6
    assert {tags["channel"] for _, _, tags in told.calls} == {"whatsapp"}


@pytest.mark.parametrize(("chance", "drawn"), [(0.0, 10.0), (0.999, 20.0), (1.0, 20.0)])
def test_any_request_may_be_drawn(chance: float, drawn: float) -> None:
    told = Told()
    count_batch(told, [outcome(State.ACCEPTED)] * 2, [0.010, 0.020], chance)
    assert told.calls[-1][:2] == (Metric.SEND_DURATION, drawn)


def test_a_batch_that_posted_nothing_tells_nothing() -> None:
    told = Told()
    count_batch(told, [outcome(State.PLANNED, LATE)], [], chance=0.5)
    assert told.calls == []


def test_the_wait_for_a_slot_is_told() -> None:
    told = Told()
    free_at = NOW + timedelta(milliseconds=250)
    count_wait(told, Batch(slots=[free_at, free_at]), NOW)
    count_wait(told, Batch(slots=[NOW - timedelta(seconds=1)]), NOW)
    assert [ms for _, ms, _ in told.calls] == [250.0, 0.0]


def test_a_batch_that_looked_twice_for_a_slot_has_waited_once(sender: Sender) -> None:
    """A limit of one a minute has no slot within a worker's horizon, so that it comes again."""
    shard = only_shard(sender.ledger, plant(sender.ledger, 3))
    told = Told()

    sender.send(shard, stats=told, per_minute=1)

    waits = [ms for metric, ms, _ in told.calls if metric is Metric.GATE_WAIT]
    assert len(waits) == told.sums()[Metric.SENDS_ATTEMPTED] == 3
    assert max(waits) > 1_000  # all of it, and not what was left at the second look


def test_what_is_counted_is_what_the_simulator_saw(
    simulator: SimulatorProcess, sender: Sender
) -> None:
    simulator.faults([{"on": "send", "fault": "status", "status": 400, "times": 3}])
    shard = only_shard(sender.ledger, plant(sender.ledger, 150))
    told = Told()

    sender.send(shard, stats=told)

    assert told.sums()[Metric.SENDS_ACCEPTED] == len(simulator.messages()) == 147
    assert told.sums()[Metric.SENDS_REJECTED] == 3
    metrics = [metric for metric, _, _ in told.calls]
    batches = metrics.count(Metric.SENDS_ATTEMPTED)
    assert 3 <= batches <= 10  # of 64 at the most
    assert metrics.count(Metric.GATE_WAIT) == batches
    assert metrics.count(Metric.SEND_DURATION) == batches


@pytest.mark.usefixtures("airflows_own")
def test_metrics_that_are_off_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert airflow_stats() is NO_STATS
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
    assert isinstance(airflow_stats(), AirflowStats)


def test_a_counter_of_nothing_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with statsd_server() as server, airflow_tells(server, monkeypatch) as stats:
        stats.incr(Metric.REPORT_INCOMPLETE, 0)
        stats.incr(Metric.REPORT_ROWS, 7)
        stats.timing(Metric.REPORT_DURATION, 1.5)
        stats.gauge(Metric.RECONCILED_LEFT, 0)
    assert [line for line in server.lines if "genesys" in line] == [
        "airflow.genesys.report.rows:7|c",
        "airflow.genesys.report.duration:1.500000|ms",
        "airflow.genesys.reconciled.left:0|g",
    ]


@pytest.mark.usefixtures("airflows_own")
def test_a_backend_that_fails_is_said_once_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> object:
        raise TimeoutError("the monitoring is away")

    airflows.initialize(factory=broken, export_legacy_names=False)  # type: ignore[arg-type]
    stats = AirflowStats()
    for _ in range(3):
        stats.incr(Metric.SENDS_ACCEPTED)
        stats.timing(Metric.GATE_WAIT, 1.0)
        stats.gauge(Metric.SPOOL_BYTES, 1)
    assert caplog.text.count("metrics can't be sent: the monitoring is away") == 1
