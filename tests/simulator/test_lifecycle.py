"""What becomes of messages: the same for the same seed, in the right order, in the right shares."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from statistics import mean
from typing import Any

from genesys_cloud.simulator.lifecycle import FAILURES, Step, plan
from genesys_cloud.simulator.options import SimulatorOptions
from tests.simulator.caller import Caller, a_message_to
from tests.simulator.server import SimulatorProcess

SURE: dict[str, Any] = {
    "failure_share": 0.0,
    "duplicate_share": 0.0,
    "reorder_share": 0.0,
    "delay_share": 0.0,
}


def plans(count: int = 4000, **options: Any) -> list[tuple[Step, ...]]:
    chosen = SimulatorOptions(**options)
    return [plan(chosen, f"+1202555{number:04d}", "Hello") for number in range(count)]


def share(flags: list[bool]) -> float:
    return mean(map(float, flags))


def test_a_message_has_the_same_life_for_the_same_seed_and_content() -> None:
    options = SimulatorOptions(seed=7)
    assert plan(options, "+12025550123", "Hello") == plan(options, "+12025550123", "Hello")


def test_seed_address_and_text_each_make_another_life() -> None:
    usual = plan(SimulatorOptions(seed=7), "+12025550123", "Hello")
    assert usual != plan(SimulatorOptions(seed=8), "+12025550123", "Hello")
    assert usual != plan(SimulatorOptions(seed=7), "+12025550124", "Hello")
    assert usual != plan(SimulatorOptions(seed=7), "+12025550123", "Hallo")


def test_a_share_that_changes_leaves_the_times_as_they_were() -> None:
    few, many = plans(200, failure_share=0.0), plans(200, failure_share=0.0, duplicate_share=0.5)
    assert [[step.at_s for step in life] for life in few] == [
        [step.at_s for step in life] for life in many
    ]


def test_speed_shortens_every_time_alike() -> None:
    for slow, fast in zip(plans(50), plans(50, speed=60.0), strict=True):
        assert [step.at_s / 60 for step in slow] == [step.at_s for step in fast]
        assert [step.status for step in slow] == [step.status for step in fast]


def test_statuses_follow_one_another_as_the_contract_has_them() -> None:
    lives = {tuple(step.status for step in life) for life in plans()}
    assert lives == {
        ("sent", "delivered"),
        ("sent", "delivered", "read"),
        ("sent", "failed"),
        ("failed",),
    }
    for life in plans():
        assert all(0 < one.at_s < next_.at_s for one, next_ in pairwise(life))


def test_as_many_messages_fail_and_are_read_as_the_shares_say() -> None:
    # 4000 draws: two standard deviations are under 0.016 at any share.
    lives = plans(failure_share=0.2, read_share=0.5)
    failed = [life[-1].status == "failed" for life in lives]
    read = [life[-1].status == "read" for life in lives if life[-1].status != "failed"]
    assert abs(share(failed) - 0.2) < 0.03
    assert abs(share(read) - 0.5) < 0.03


def test_a_failure_and_nothing_else_carries_an_error_code() -> None:
    steps = [step for life in plans(failure_share=0.5) for step in life]
    assert {step.error_code for step in steps if step.status == "failed"} == set(FAILURES)
    assert {step.error_code for step in steps if step.status != "failed"} == {None}


def test_events_are_pushed_once_after_their_change_when_nothing_is_to_go_wrong() -> None:
    for life in plans(500, **SURE):
        assert all(len(step.pushed_at_s) == 1 for step in life)
        assert all(step.pushed_at_s[0] >= step.at_s for step in life)


def test_events_come_twice_late_or_never_as_the_shares_say() -> None:
    twice = plans(**SURE | {"duplicate_share": 0.3})
    assert abs(share([len(step.pushed_at_s) == 2 for life in twice for step in life]) - 0.3) < 0.03
    never = plans(**SURE, loss_share=0.3)
    assert abs(share([not step.pushed_at_s for life in never for step in life]) - 0.3) < 0.03
    late = plans(**SURE | {"delay_share": 0.3})
    waits = [step.pushed_at_s[0] - step.at_s >= 60 for life in late for step in life]
    assert abs(share(waits) - 0.3) < 0.03


def test_a_reordered_event_leaves_after_the_next_change() -> None:
    for life in plans(500, **SURE | {"reorder_share": 1.0}):
        assert all(one.pushed_at_s[0] > next_.at_s for one, next_ in pairwise(life))


def test_recorded_dates_are_in_order_and_agree_with_the_status(
    simulator: SimulatorProcess, caller: Caller
) -> None:
    for number in range(100):
        caller.send(a_message_to(number))
    stats = simulator.wait_until_quiet()
    entities = caller.list(pageSize=100).json()["entities"]
    assert sum(stats["byStatus"].values()) == stats["messages"] == 100
    assert stats["byStatus"]["queued"] == stats["byStatus"]["sent"] == 0
    assert {entity["status"] for entity in entities} == {"delivered", "read", "failed"}
    for entity in entities:
        check_dates(entity)


def check_dates(entity: dict[str, Any]) -> None:
    names = ("createdDate", "sentDate", "deliveredDate", "readDate")
    dates = [datetime.fromisoformat(entity[name]) for name in names if entity[name]]
    assert dates == sorted(dates)
    assert bool(entity["deliveredDate"]) == (entity["status"] != "failed")
    assert bool(entity["readDate"]) == (entity["status"] == "read")
    assert bool(entity["failedDate"]) == (entity["status"] == "failed")
    assert ("errorCode" in entity) == (entity["status"] == "failed")


def test_two_simulators_agree_whatever_the_order_of_arrival(simulator: SimulatorProcess) -> None:
    with SimulatorProcess(speed=5000) as another:
        ends = final_statuses(simulator, range(60)), final_statuses(another, range(59, -1, -1))
    assert ends[0] == ends[1]
    assert len(set(ends[0].values())) > 1


def final_statuses(simulator: SimulatorProcess, order: Iterable[int]) -> dict[str, str]:
    caller = Caller(simulator)
    for number in order:
        caller.send(a_message_to(number))
    simulator.wait_until_quiet()
    caller.close()
    return {entry["to"]: entry["status"] for entry in simulator.messages()}
