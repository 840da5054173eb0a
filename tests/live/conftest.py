from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.outbound.messages import State
from tests.ledger.planted import CAMPAIGN, NOW
from tests.live.site import Site, run

SPRING = replace(CAMPAIGN, campaign_id="spring")
NORTH = replace(CAMPAIGN, campaign_id="northern")


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plan two campaigns, of which the one's DAG is not for everybody's eyes."""
    file = tmp_path_factory.mktemp("planted") / "ledger.db"
    ledger = open_ledger(f"sqlite:///{file}")
    run(
        ledger, SPRING, dag_id="send_campaign", run_id="manual__1",
        states=[State.ACCEPTED, State.REJECTED],
    )  # fmt: skip
    run(ledger, NORTH, dag_id="north", run_id="manual__2")
    ledger.close()
    return file


@pytest.fixture
def ledger(planted: Path, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with those campaigns, of each test's own."""
    file = shutil.copy(planted, tmp_path / "ledger.db")
    opened = open_ledger(f"sqlite:///{file}")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def served() -> Iterator[Site]:
    """The pages, served once; over which ledger, each test says."""
    with Site(ledger_url="sqlite://") as opened:
        yield opened


@pytest.fixture
def site(served: Site, ledger: Ledger) -> Iterator[Site]:
    """The pages over that ledger."""
    served.ledger_url, served.now = str(ledger.engine.url), NOW
    yield served
    served.app.state.backing.ledger.drop()
