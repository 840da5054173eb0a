"""A whole Airflow on this machine, a simulated Genesys, and a browser to look at it with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from demo.airflow import Airflow
from demo.processes import Processes
from tests.simulator.server import SimulatorProcess
from tests.ui.rest import Rest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
TIMEOUT_MS = 30_000
REQUESTS_PER_MINUTE = 100_000
WEBHOOK_SECRET = "signed-for-the-mounted-receiver"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs: Airflow, spoken to over REST, and the simulator that its connection names."""

    airflow: Airflow
    rest: Rest
    simulator: SimulatorProcess
    ledger_file: Path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start everything; the connection stands in Airflow's database, as one made in the UI does."""
    place = tmp_path_factory.mktemp("stack")
    env = {
        "GENESYS_LEDGER_URL": f"sqlite:///{place}/ledger.db",
        "GENESYS_EXPORT_URL": str(place / "exports"),
    }
    with (
        SimulatorProcess(requests_per_minute=REQUESTS_PER_MINUTE, speed=50) as simulator,
        Processes(place / "logs") as processes,
    ):
        airflow = Airflow.start(place / "airflow", processes, env)
        airflow.wait_until_healthy(("send_campaign",))
        with Rest(airflow.url) as rest:
            extra = {"requests_per_minute": REQUESTS_PER_MINUTE, "webhook_secret": WEBHOOK_SECRET}
            rest.make_connection(
                "genesys_cloud_default", host=simulator.url, login=simulator.client_id,
                password=simulator.client_secret, extra=extra,
            )  # fmt: skip
            yield Stack(
                airflow=airflow, rest=rest, simulator=simulator, ledger_file=place / "ledger.db"
            )


@pytest.fixture(scope="session")
def unanswered(stack: Stack) -> str:
    """Start a run whose question stands three minutes and gets no answer; return its path."""
    conf = {
        "campaign_id": "forgotten_orders",
        "audience": "orders.csv",
        "template": "order_update",
        "sender": "+12025550100",
        "dry_run": False,
        "require_approval": True,
        "approval_hours": 0.05,
    }
    return stack.rest.start(conf)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail(f"no {CHROMIUM}: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a new tab in which an error of the page's own scripts fails the test."""
    tab = browser.new_page(viewport={"width": 1280, "height": 1000})
    tab.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    tab.close()
    assert errors == []
