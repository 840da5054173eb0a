"""The analytics API's asynchronous jobs over conversation details."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from genesys_cloud.simulator.agentless.analytics_shape import analytics_conversation
from genesys_cloud.simulator.agentless.jobs import KEPT_MS
from genesys_cloud.simulator.agentless.search import parse
from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.instants import now_ms, to_iso
from genesys_cloud.simulator.world import World

PAGE, LARGEST_PAGE = 1000, 10_000


def create(world: World, call: Call) -> Answer:
    """Begin a job over the conversations whose life overlaps the interval."""
    body = call.json_object()
    same_day = body.get("startOfDayIntervalMatching") is True
    found = parse(body, most_days=None).run(world.platform.conversations, same_day=same_day)
    limit = body.get("limit")
    job = world.platform.jobs.add(found[:limit] if isinstance(limit, int) else found)
    return json_answer(202, {"jobId": job.id})


def show(world: World, call: Call) -> Answer:
    """Answer how far a job is."""
    job, now = world.platform.jobs.get(call.ids[0]), now_ms()
    shown = {
        "state": job.state(now),
        "submissionDate": to_iso(job.submitted_ms),
        "expirationDate": to_iso(job.submitted_ms + KEPT_MS),
    }
    if shown["state"] == "FULFILLED":
        shown["completionDate"] = to_iso(job.completed_ms)
    return json_answer(200, shown)


def results(world: World, call: Call) -> Answer:
    """Answer a stretch of what a job found; the last one has no cursor."""
    job = world.platform.jobs.get(call.ids[0])
    if (state := job.state(now_ms())) != "FULFILLED":
        raise ApiError(400, "bad.request", f"Job {job.id} has no results: it is {state}.")
    size = call.number("pageSize", PAGE, lowest=1, highest=LARGEST_PAGE)
    begin = _offset(call.query.get("cursor"))
    end = begin + size
    answer: dict[str, Any] = {
        "conversations": [analytics_conversation(each) for each in job.found[begin:end]],
        "dataAvailabilityDate": to_iso(job.available_ms),
    }
    if end < len(job.found):
        answer["cursor"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return json_answer(200, answer)


def cancel(world: World, call: Call) -> Answer:
    """Cancel a job."""
    world.platform.jobs.get(call.ids[0]).cancelled = True
    return Answer(204)


def availability(world: World, call: Call) -> Answer:
    """Answer up to when the data reaches that jobs see."""
    reached = to_iso(world.platform.jobs.available_ms())
    return json_answer(200, {"dataAvailabilityDate": reached})


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor)))
    except (binascii.Error, ValueError):
        raise ApiError(400, "invalid.value", "The cursor is not one of this API's.") from None
