from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from genesys_cloud.errors import LedgerUnavailableError
from genesys_cloud.outbound.status import StatusEvent
from genesys_cloud.webhook import group_commit
from genesys_cloud.webhook.counting import Outcome, isolated
from genesys_cloud.webhook.group_commit import GroupCommit, QueueFullError


def event(name: str) -> StatusEvent:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return StatusEvent(event_id=name, message_id="m", status="sent", occurred_at=at)


class Counted:
    """Counts batches, once its gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.batches: list[list[str]] = []

    def __call__(self, batch: Sequence[StatusEvent]) -> Sequence[Outcome]:
        assert self.gate.wait(60)
        self.batches.append([one.event_id for one in batch])
        return [f"counted {one.event_id}" for one in batch]


def test_what_arrives_during_a_transaction_shares_the_next_one() -> None:
    counted = Counted()

    async def scenario() -> list[Sequence[Outcome]]:
        commits = GroupCommit(counted)
        asked = [asyncio.create_task(commits.submit([event(str(n))])) for n in range(5)]
        await asyncio.sleep(0)  # all of them wait now
        counted.gate.set()
        first = await asyncio.gather(*asked)
        return [*first, await commits.submit([event("later")])]

    outcomes = asyncio.run(scenario())
    assert outcomes == [[f"counted {name}"] for name in ("0", "1", "2", "3", "4", "later")]
    assert sum(len(batch) for batch in counted.batches) == 6
    assert len(counted.batches) <= 3


def test_no_more_wait_than_may_and_none_of_a_batch_that_is_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_commit, "MOST_WAITING", 3)
    counted = Counted()

    async def scenario() -> None:
        commits = GroupCommit(counted)
        begun = asyncio.create_task(commits.submit([event("begun")]))
        while not begun.done() and commits.waiting == 0:
            await asyncio.sleep(0)
        while commits.waiting:  # its transaction has begun
            await asyncio.sleep(0)
        waiting = asyncio.create_task(commits.submit([event("1"), event("2")]))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await commits.submit([event("3"), event("4")])
        assert commits.waiting == 2
        counted.gate.set()
        await asyncio.gather(begun, waiting)

    asyncio.run(scenario())
    assert counted.batches == [["begun"], ["1", "2"]]


def test_a_request_that_is_given_up_does_not_disturb_the_others() -> None:
    counted = Counted()

    async def scenario() -> Sequence[Outcome]:
        commits = GroupCommit(counted)
        gone, stays = (asyncio.create_task(commits.submit([event(name)])) for name in "ab")
        await asyncio.sleep(0)
        gone.cancel()
        counted.gate.set()
        return await stays

    assert asyncio.run(scenario()) == ["counted b"]


def test_a_failure_of_everything_is_everybodys_outcome_and_the_next_batch_goes_on() -> None:
    failures = [LedgerUnavailableError("away")]

    def count(batch: Sequence[StatusEvent]) -> Sequence[Outcome]:
        if failures:
            raise failures.pop()
        return ["counted"] * len(batch)

    async def scenario() -> tuple[Sequence[Outcome], Sequence[Outcome]]:
        commits = GroupCommit(count)
        first = await commits.submit([event("a"), event("b")])
        return first, await commits.submit([event("c")])

    failed, counted = asyncio.run(scenario())
    assert [type(one) for one in failed] == [LedgerUnavailableError] * 2
    assert counted == ["counted"]


@pytest.mark.parametrize("poisoned", [{0}, {6}, {3, 4}, set(range(7)), set()])
def test_a_poisoned_event_fails_alone(poisoned: set[int]) -> None:
    committed: list[str] = []

    def apply(batch: Sequence[StatusEvent]) -> Sequence[str]:
        names = [one.event_id for one in batch]
        if {int(name) for name in names} & poisoned:
            raise RuntimeError("poison")
        committed.extend(names)
        return names

    outcomes = isolated(apply, [event(str(number)) for number in range(7)])
    found = {number for number, one in enumerate(outcomes) if isinstance(one, RuntimeError)}
    assert found == poisoned
    assert committed == [str(number) for number in range(7) if number not in poisoned]


def test_a_transaction_that_fails_without_an_event_is_nobodys_poison() -> None:
    def apply(_: Sequence[StatusEvent]) -> Sequence[str]:
        raise RuntimeError("the table is missing")

    with pytest.raises(RuntimeError):
        isolated(apply, [])


def test_a_ledger_that_is_away_is_nobodys_poison() -> None:
    asked: list[int] = []

    def apply(batch: Sequence[StatusEvent]) -> Sequence[str]:
        asked.append(len(batch))
        raise LedgerUnavailableError("away")

    with pytest.raises(LedgerUnavailableError):
        isolated(apply, [event("a"), event("b")])
    assert asked == [2]
