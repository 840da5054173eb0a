"""Which endpoint a request is for: a path of its own, or one with ids in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from genesys_cloud.simulator.exchange import Answer, ApiError, Call
from genesys_cloud.simulator.oauth import Token
from genesys_cloud.simulator.world import World

Handler = Callable[[World, Call], Answer]
Needs = Callable[[World, Token], None]
"""Raises ApiError 403 unless the token may do what is asked."""


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: what fault rules call it, what it needs, who answers it.

    `needs` is None where no token is asked for.
    """

    endpoint: str
    needs: Needs | None
    handler: Handler
    status: int = 200


class Found(NamedTuple):
    """A route, what its requests are counted under, and the ids in the path."""

    label: str
    route: Route
    ids: tuple[str, ...] = ()


class _Pattern(NamedTuple):
    parts: tuple[str, ...]
    found: Found

    def match(self, parts: list[str]) -> Found | None:
        ids = []
        for expected, part in zip(self.parts, parts, strict=True):
            if expected.startswith("{") and part:
                ids.append(part)
            elif expected != part:
                return None
        return self.found._replace(ids=tuple(ids))


def _not_found(world: World, call: Call) -> Answer:
    raise ApiError(404, "not.found", f"There is no {call.method} {call.path}.")


NOWHERE = Found("unknown", Route("unknown", None, _not_found))


class RouteTable:
    """Routes keyed by `METHOD /path`, where `{anything}` stands for an id."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._exact: dict[tuple[str, str], Found] = {}
        self._patterns: dict[tuple[str, int], list[_Pattern]] = {}
        for label, route in routes.items():
            method, _, path = label.partition(" ")
            found = Found(label, route)
            if "{" not in path:
                self._exact[method, path] = found
                continue
            parts = tuple(path.split("/"))
            self._patterns.setdefault((method, len(parts)), []).append(_Pattern(parts, found))

    def find(self, method: str, path: str) -> Found:
        """Return the route of a request; a path without ids costs one look into a dict."""
        if found := self._exact.get((method, path)):
            return found
        parts = path.split("/")
        for pattern in self._patterns.get((method, len(parts)), ()):
            if matched := pattern.match(parts):
                return matched
        return NOWHERE
