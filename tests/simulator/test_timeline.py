"""What is due later happens in order of its time."""

from __future__ import annotations

import asyncio
from functools import partial

from genesys_cloud.simulator.timeline import BATCH, Timeline


def test_actions_are_called_in_order_of_their_time_and_then_of_their_coming() -> None:
    called: list[str] = []

    async def live() -> None:
        timeline, done = Timeline(), asyncio.Event()
        timeline.after(0.3, done.set)
        for delay_s, name in ((0.2, "third"), (0.1, "first"), (0.1, "second"), (-1.0, "now")):
            timeline.after(delay_s, partial(called.append, name))
        await asyncio.wait_for(done.wait(), 60)

    asyncio.run(live())
    assert called == ["now", "first", "second", "third"]


def test_more_than_a_batch_is_called_and_an_action_may_add_another() -> None:
    called: list[int] = []

    async def live() -> None:
        timeline, done = Timeline(), asyncio.Event()
        for number in range(3 * BATCH):
            timeline.after(0, partial(called.append, number))
        timeline.after(0, lambda: timeline.after(0, done.set))
        await asyncio.wait_for(done.wait(), 60)

    asyncio.run(live())
    assert called == list(range(3 * BATCH))


def test_what_is_cleared_is_never_called() -> None:
    called: list[str] = []

    async def live() -> None:
        timeline, done = Timeline(), asyncio.Event()
        timeline.after(0, partial(called.append, "cleared"))
        timeline.clear()
        timeline.after(0.01, done.set)
        await asyncio.wait_for(done.wait(), 60)

    asyncio.run(live())
    assert called == []
