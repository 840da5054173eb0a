"""The analytics API's synchronous query of conversation details."""

from __future__ import annotations

import random
from typing import Any

from genesys_cloud.simulator.agentless.analytics_shape import analytics_conversation
from genesys_cloud.simulator.agentless.search import parse
from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.options import SimulatorOptions
from genesys_cloud.simulator.world import World

MOST_RESULTS = 100_000
TOO_MANY = (
    f"Pagination may not exceed {MOST_RESULTS} results.\n\nTip: When extracting large chunks of "
    "data (multiple days/weeks), maximize pagination performance by querying in smaller intervals."
)


def query(world: World, call: Call) -> Answer:
    """Answer one page of the conversations that began on a day that the interval touches."""
    body, store = call.json_object(), world.platform.conversations
    size, number = _paging(body)
    search = parse(body)
    # Pages are asked for one after the other: what was found serves the next one.
    question = {key: value for key, value in body.items() if key != "paging"}
    found = store.remembered(question, lambda: search.run(store, same_day=True))
    begin, total = (number - 1) * size, len(found)
    if world.options.shifting_pages:
        # As if conversations had come in before those that were read: none is lost, some repeat.
        arrived = (number - 1) * (max(1, size // 10) if size > 1 else 0)
        begin, total = begin - arrived, total + arrived
    answer: dict[str, Any] = {"totalHits": _about(world.options, total, number)}
    if page := found[begin : begin + size]:
        answer["conversations"] = [analytics_conversation(each) for each in page]
    return json_answer(200, answer)


def show(world: World, call: Call) -> Answer:
    """Answer one conversation."""
    if (known := world.platform.conversations.get(call.ids[0])) is None:
        raise ApiError(404, "not.found", f"There is no conversation {call.ids[0]}.")
    return json_answer(200, analytics_conversation(known))


def _paging(body: dict[str, Any]) -> tuple[int, int]:
    paging = body.get("paging") or {}
    if not isinstance(paging, dict):
        raise ApiError(400, "bad.request", "paging is not an object.")
    size, number = paging.get("pageSize", 25), paging.get("pageNumber", 1)
    for name, value, highest in (("pageSize", size, 100), ("pageNumber", number, MOST_RESULTS)):
        if type(value) is not int or not 1 <= value <= highest:
            message = f"{name} is a whole number between 1 and {highest}, not {value!r}."
            raise ApiError(400, "invalid.value", message)
    if size * number > MOST_RESULTS:
        raise ApiError(400, "bad.request", TOO_MANY)
    return size, number


def _about(options: SimulatorOptions, total: int, number: int) -> int:
    chance = random.Random(f"{options.seed} totals {number}")  # noqa: S311
    return round(total * (1 + options.approximate_totals * chance.uniform(-1, 1)))
