"""What the roles of the client must allow, in the words of the platform when they do not."""

from __future__ import annotations

from genesys_cloud.simulator.exchange import ApiError
from genesys_cloud.simulator.oauth import Token
from genesys_cloud.simulator.routing import Needs
from genesys_cloud.simulator.world import World

_REFUSED = "Unable to perform the requested action."


def a_token(world: World, token: Token) -> None:
    """Ask for nothing beyond a token."""


def every(*names: str) -> Needs:
    """Return the need for all of these permissions."""

    def needs(world: World, token: Token) -> None:
        if lacking := [name for name in names if name not in world.platform.permissions]:
            message = f"{_REFUSED} You are missing the following permission(s): "
            raise ApiError(403, "missing.permissions", message + ", ".join(lacking))

    return needs


def some(*names: str) -> Needs:
    """Return the need for at least one of these permissions."""

    def needs(world: World, token: Token) -> None:
        if not world.platform.permissions.intersection(names):
            message = f"{_REFUSED} You must have at least one of the following permissions assigned"
            raise ApiError(403, "missing.any.permissions", f"{message}: [{', '.join(names)}]")

    return needs
