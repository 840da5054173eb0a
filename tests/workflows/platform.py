"""An account of the platform's own API, as the simulator serves it."""

from __future__ import annotations

from collections.abc import Iterator

from genesys_cloud.settings import Account
from tests.simulator.platform_caller import Platform
from tests.simulator.server import SimulatorProcess


def calling(simulator: SimulatorProcess) -> Iterator[Platform]:
    """Yield a caller of a simulator that remembers nothing."""
    simulator.reset()
    caller = Platform(simulator)
    yield caller
    caller.close()


def account_at(simulator: SimulatorProcess) -> Account:
    """Return the account, its profile pinned."""
    return Account(
        name="platform",
        client_id=simulator.client_id,
        client_secret=simulator.client_secret,
        base_url=simulator.url,
        profile="agentless",
        requests_per_minute=1_000_000,
    )
