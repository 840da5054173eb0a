"""Entities of which there may be many, a page at a time, as the platform lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, TypeVar

from genesys_cloud.simulator.exchange import Answer, Call, json_answer

MOST_PAGES = 1_000_000
T = TypeVar("T")


def listing(call: Call, found: Sequence[T], shown: Callable[[T], dict[str, Any]]) -> Answer:
    """Answer the page that is asked for, with the addresses of its neighbours."""
    size = call.number("pageSize", 25, lowest=1, highest=100)
    number = call.number("pageNumber", 1, lowest=1, highest=MOST_PAGES)
    last = max(1, ceil(len(found) / size))

    def uri(page: int) -> str:
        return f"{call.path}?pageSize={size}&pageNumber={page}"

    body = {
        "entities": [shown(each) for each in found[(number - 1) * size : number * size]],
        "pageSize": size,
        "pageNumber": number,
        "total": len(found),
        "pageCount": last,
        "firstUri": uri(1),
        "lastUri": uri(last),
        "selfUri": uri(number),
    }
    if number < last:
        body["nextUri"] = uri(number + 1)
    if number > 1:
        body["previousUri"] = uri(number - 1)
    return json_answer(200, body)
