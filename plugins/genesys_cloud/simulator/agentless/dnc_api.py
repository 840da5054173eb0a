"""The outbound API's do-not-contact lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from genesys_cloud.simulator.agentless.dnc import LISTS
from genesys_cloud.simulator.agentless.listing import listing
from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.instants import to_iso
from genesys_cloud.simulator.world import World


def create(world: World, call: Call) -> Answer:
    """Make a list without numbers."""
    return json_answer(200, world.platform.dnc_lists.create(call.json_object()).shown())


def show_all(world: World, call: Call) -> Answer:
    """Answer one page of the lists."""
    found = world.platform.dnc_lists.all(call.query.get("name"))
    return listing(call, found, lambda each: each.shown())


def show(world: World, call: Call) -> Answer:
    """Answer one list."""
    return json_answer(200, world.platform.dnc_lists.get(call.ids[0]).shown())


def start_export(world: World, call: Call) -> Answer:
    """Begin an export, which is ready at once."""
    exported = world.platform.dnc_lists.get(call.ids[0])
    world.platform.dnc_lists.export(exported)
    selfuri = f"{LISTS}/{exported.id}/export"
    return json_answer(200, {"id": exported.id, "name": exported.name, "selfUri": selfuri})


def show_export(world: World, call: Call) -> Answer:
    """Answer where the last export is to be had."""
    exported = world.platform.dnc_lists.get(call.ids[0])
    if exported.exported is None:
        raise ApiError(404, "not.found", f"DNC list {exported.id} was not exported.")
    host = call.headers.get(b"host", b"").decode("latin-1")
    uri = f"http://{host}/api/v2/downloads/{exported.exported}"
    return json_answer(200, {"uri": uri, "exportTimestamp": to_iso(exported.exported_ms)})


def download(world: World, call: Call) -> Answer:
    """Answer an exported file."""
    text = world.platform.dnc_lists.file(call.ids[0])
    return Answer(200, text.encode(), media_type=b"text/csv; charset=utf-8")


def add_numbers(world: World, call: Call) -> Answer:
    """Put a list of numbers on the list."""
    world.platform.dnc_lists.get(call.ids[0]).add(_numbers(call.json()))
    return Answer(204)


def change_numbers(world: World, call: Call) -> Answer:
    """Add numbers with an end, or remove numbers."""
    changed, body = world.platform.dnc_lists.get(call.ids[0]), call.json_object()
    numbers, until = _numbers(body.get("phoneNumbers")), body.get("expirationDateTime")
    if body.get("action") == "Remove":
        changed.remove(numbers)
    elif body.get("action") == "Add":
        changed.add(numbers, _instant(until) if until else None)
    else:
        raise ApiError(400, "invalid.value", "action is Add or Remove.")
    return Answer(204)


def _numbers(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(each, str) and each for each in given):
        raise ApiError(400, "bad.request", "The phone numbers are not a list of texts.")
    return given


def _instant(text: Any) -> str:
    try:
        datetime.fromisoformat(text)
    except (TypeError, ValueError):
        message = "expirationDateTime is an instant as yyyy-MM-ddTHH:mmZ."
        raise ApiError(400, "invalid.date", message) from None
    return str(text)
