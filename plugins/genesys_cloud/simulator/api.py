"""The contract's endpoints: messages and webhooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from genesys_cloud.simulator.channels import violations
from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.instants import from_iso
from genesys_cloud.simulator.store import STATUSES
from genesys_cloud.simulator.world import World

MOST_PAGES = 1_000_000
T = TypeVar("T")


def send_message(world: World, call: Call) -> Answer:
    """Accept a message, or refuse it with everything that is wrong."""
    payload = call.json_object()
    if found := violations(payload):
        message = "The message is not valid: " + " ".join(each.message for each in found)
        details = [each.as_detail() for each in found]
        raise ApiError(400, "bad.request", message, details=details)
    entity = world.accept(payload).entity
    shown = ("id", "channelType", "status", "createdDate")
    return json_answer(201, {key: entity[key] for key in shown})


def list_messages(world: World, call: Call) -> Answer:
    """Answer one page of the messages that were created in [start, end)."""
    query = call.query
    statuses = frozenset(filter(None, query.get("status", "").split(",")))
    if unknown := statuses - set(STATUSES):
        raise ApiError(400, "invalid.value", f"Unknown status: {', '.join(sorted(unknown))}.")
    start_ms, end_ms = _interval(query.get("createdDate"))
    found = world.messages.search(start_ms, end_ms, statuses)
    return _page(call, found, lambda message: message.entity)


def get_message(world: World, call: Call) -> Answer:
    """Answer one message."""
    message_id = call.ids[0]
    if (message := world.messages.get(message_id)) is None:
        raise ApiError(404, "not.found", f"There is no message {message_id}.")
    return json_answer(200, message.entity)


def create_webhook(world: World, call: Call) -> Answer:
    """Register a webhook."""
    return json_answer(201, world.webhooks.register(call.json_object()).shown)


def list_webhooks(world: World, call: Call) -> Answer:
    """Answer one page of the webhooks."""
    return _page(call, world.webhooks.all(), lambda webhook: webhook.shown)


def get_webhook(world: World, call: Call) -> Answer:
    """Answer one webhook."""
    return json_answer(200, world.webhooks.get(call.ids[0]).shown)


def replace_webhook(world: World, call: Call) -> Answer:
    """Put a registration in place of another."""
    known = world.webhooks.get(call.ids[0])
    # The secret is never shown, so a body that was read and put back does not carry it.
    body = {"secret": known.secret} if known.secret else {}
    return json_answer(200, world.webhooks.register(body | call.json_object(), known.id).shown)


def delete_webhook(world: World, call: Call) -> Answer:
    """Forget a webhook."""
    world.webhooks.remove(call.ids[0])
    return Answer(204)


def _interval(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    try:
        # A plus that was not percent-encoded arrives as a space.
        start_ms, end_ms = (from_iso(part.replace(" ", "+")) for part in text.split(","))
    except ValueError:
        message = "createdDate is two ISO 8601 instants with an offset: start,end."
        raise ApiError(400, "invalid.date", message) from None
    if start_ms > end_ms:
        raise ApiError(400, "invalid.date", "createdDate starts after it ends.")
    return start_ms, end_ms


def _page(call: Call, found: Sequence[T], shown: Callable[[T], dict[str, Any]]) -> Answer:
    size = call.number("pageSize", 25, lowest=1, highest=100)
    number = call.number("pageNumber", 1, lowest=1, highest=MOST_PAGES)
    end = number * size
    body = {
        "pageNumber": number,
        "pageSize": size,
        "total": len(found),
        "hasMore": end < len(found),
        "entities": [shown(each) for each in found[end - size : end]],
    }
    return json_answer(200, body)
