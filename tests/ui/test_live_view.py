"""The live view in a real Airflow with real logins: who sees it, that it moves, that it steers.

UI_SCREENSHOTS=docs/images takes the pictures of the documents anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, FrameLocator, Page, expect

from demo.airflow import Airflow
from demo.processes import Processes
from tests.simulator.server import SimulatorProcess, wait_for
from tests.ui.conftest import REQUESTS_PER_MINUTE, TIMEOUT_MS, Stack
from tests.ui.rest import Rest
from tests.ui.test_airflow_ui import picture

pytestmark = pytest.mark.browser

NARROW = "narrow"  # of tests/ui/dag_rights.py, which only an Airflow can import
USERS = {"admin": "admin", "viewer": "viewer", NARROW: "user"}
CONF = {
    "campaign_id": "live_orders",
    "audience": "orders.csv",
    "template": "order_update",
    "sender": "+12025550100",
    "dry_run": False,
    "require_approval": False,
}
AREAS = (202, 212, 213)
ALLOWED = 288
"""Of 300 rows: each 25th has no consent."""


class LoggedIn(Rest):
    """One session of a user who has logged in."""

    def __init__(self, url: str, user: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        login = {"username": user, "password": user}
        answer = self._session.post(f"{url}/auth/token", json=login, timeout=60)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def page(self, path: str) -> requests.Response:
        """Ask for a page of the live view."""
        return self._session.get(f"{self._url}/genesys{path}", timeout=60)

    def told_of(self, person: str) -> str:
        """Ask for a person as the page does, and return what it says."""
        (token,) = set(re.findall('"X-Genesys-Token": "([^"]+)"', self.page("/messages").text))
        answer = self._session.post(
            f"{self._url}/genesys/messages", data={"q": person}, timeout=60,
            headers={"X-Genesys-Token": token, "Origin": self._url},
        )  # fmt: skip
        answer.raise_for_status()
        return answer.text


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start an Airflow in which people log in, and have rights of their own."""
    place = tmp_path_factory.mktemp("guarded")
    passwords = place / "passwords.json"
    passwords.write_text(json.dumps({name: name for name in USERS}))
    env = {
        "GENESYS_LEDGER_URL": f"sqlite:///{place}/ledger.db",
        "AIRFLOW__CORE__AUTH_MANAGER": "tests.ui.dag_rights.DagRights",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
            f"{name}:{role}" for name, role in USERS.items()
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    with (
        SimulatorProcess(requests_per_minute=REQUESTS_PER_MINUTE, speed=50) as simulator,
        Processes(place / "logs") as processes,
    ):
        airflow = Airflow.start(place / "airflow", processes, env)
        airflow.wait_until_healthy(())
        with LoggedIn(airflow.url, "admin") as rest:
            rest.make_connection(
                "genesys_cloud_default", host=simulator.url, login=simulator.client_id,
                password=simulator.client_secret,
                extra={"requests_per_minute": REQUESTS_PER_MINUTE},
            )  # fmt: skip
            unpaused = {"is_paused": False}
            wait_for(
                lambda: rest.call("PATCH", "dags/send_campaign", unpaused).ok,
                lambda done: done,
                timeout_s=90,
                pause_s=0.5,
            )
            yield Stack(
                airflow=airflow, rest=rest, simulator=simulator, ledger_file=place / "ledger.db"
            )


@pytest.fixture
def admin(guarded: Stack, browser: Browser) -> Iterator[Page]:
    """Return a tab in which the admin has logged in by hand; no page may break its policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    page.goto(guarded.airflow.url)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill("admin")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Browse")).to_be_visible()
    yield page
    context.close()
    assert complaints == []


def inside(page: Page) -> FrameLocator:
    """Return what stands in the frame of Airflow's own page."""
    return page.frame_locator("iframe")


def start(stack: Stack, **changes: Any) -> str:
    """Start send_campaign for real, and return the run's path."""
    return stack.rest.start(CONF | changes)


def test_without_a_login_there_is_nothing(guarded: Stack) -> None:
    for path in ("/", "/campaigns/live_orders", "/messages", "/preview?dag_id=a&run_id=b"):
        answer = requests.get(f"{guarded.airflow.url}/genesys{path}", timeout=30)
        assert answer.status_code == 401
        assert "not logged in" in answer.text


def test_campaigns_stand_in_the_navigation_and_refresh_by_themselves(
    guarded: Stack, admin: Page
) -> None:
    admin.get_by_role("link", name="Campaigns").or_(
        admin.get_by_role("button", name="Campaigns")
    ).first.click()
    page = inside(admin)
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    expect(page.get_by_role("heading", name="live_orders")).to_have_count(0)
    run = start(guarded)
    # Nobody touches the page: it comes by itself, and so does its end.
    expect(page.get_by_role("heading", name="live_orders")).to_be_visible(timeout=90_000)
    bar = page.get_by_role("progressbar", name="Progress of live_orders: 100 % settled")
    expect(bar).to_be_visible(timeout=90_000)
    assert guarded.rest.ended(run) == "success"
    expect(page.get_by_text("consent not verified: 1")).to_be_visible()

    page.get_by_role("link", name="live_orders").click()
    expect(page.get_by_role("img", name="Attempts settled a minute")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()

    # Out of the frame, to the run's own page.
    run_id = run.rpartition("/")[2]
    page.get_by_role("link", name=run_id).click()
    admin.wait_for_url(f"{guarded.airflow.url}/dags/send_campaign/runs/**")
    expect(admin.locator("iframe")).to_have_count(0)


def test_one_message_tells_its_story(guarded: Stack, admin: Page) -> None:
    address = str(guarded.simulator.messages()[0]["to"])
    admin.goto(f"{guarded.airflow.url}/plugin/genesys-campaigns")
    page = inside(admin)
    page.get_by_role("link", name="Message or person").click()
    page.get_by_label("An address, a message key").fill(address)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name=f"to …{address[-2:]}")).to_be_visible()
    expect(page.get_by_text("Audit entries")).to_be_visible()
    page.get_by_label("An address, a message key").fill("")
    picture(admin, "live-message")


def test_who_may_only_look_or_see_one_dag(guarded: Stack) -> None:
    with LoggedIn(guarded.airflow.url, "viewer") as viewer:
        page = viewer.page("/campaigns/live_orders")
        assert page.status_code == 200
        assert "you need the right to run send_campaign" in page.text
        assert "button-pause" not in page.text
        assert viewer.page("/campaigns/live_orders/pause").status_code == 403
    with LoggedIn(guarded.airflow.url, NARROW) as narrow:
        assert narrow.page("/campaigns/live_orders").status_code == 404
        assert "live_orders" not in narrow.page("/").text
        message = guarded.simulator.messages()[0]["to"]
        assert "Nothing that you may see" in narrow.told_of(str(message))


@pytest.fixture
def slow(guarded: Stack, tmp_path: Path) -> Iterator[str]:
    """Start a campaign that takes half a minute and loses every ninth message; return its run."""
    guarded.simulator.reset()
    guarded.simulator.faults([{"fault": "status", "status": 400, "on": "send", "every": 9}])
    contacts = tmp_path / "spring.csv"
    rows = [f"+1{area}55501{n:02},{n % 25 > 0},Ann,A-{n}" for area in AREAS for n in range(100)]
    contacts.write_text("\n".join(["address,consent,name,orderId", *rows]))
    yield start(
        guarded, campaign_id="spring_orders", audience=str(contacts), messages_per_minute=600
    )
    guarded.simulator.clear_faults()


def sent_to(stack: Stack) -> list[str]:
    """Return to whom the simulator has taken a message, as often as it has."""
    return [str(message["to"]) for message in stack.simulator.messages()]


def test_pause_resume_and_resend_from_the_page(guarded: Stack, admin: Page, slow: str) -> None:
    admin.goto(f"{guarded.airflow.url}/plugin/genesys-campaigns")
    page = inside(admin)
    page.get_by_role("link", name="spring_orders").click(timeout=90_000)
    wait_for(lambda: len(sent_to(guarded)), lambda count: count > 80, timeout_s=90, pause_s=0.3)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_label("Why?")).to_be_focused()
    page.get_by_label("Why?").fill("wrong price")
    page.get_by_role("button", name="Pause the campaign").click()
    expect(page.get_by_text("Campaign spring_orders is paused.")).to_be_visible()
    guarded.rest.ended(slow)
    before = len(sent_to(guarded))
    assert before < 8 / 9 * ALLOWED
    page.get_by_role("link", name="Campaigns").click()
    picture(admin, "live-campaigns")

    page.get_by_role("link", name="spring_orders").click()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.get_by_label("Why?").fill("price is right")
    picture(admin, "live-resume")
    page.get_by_role("button", name="Resume the campaign").click()
    run, found = started(guarded, page)
    assert (found["conf"]["occurrence"], found["conf"]["dry_run"]) == ("once", False)
    assert (found["triggering_user_name"], found["note"]) == ("admin", "Resumed: price is right")
    assert guarded.rest.ended(run) == "success"
    sent = sent_to(guarded)
    assert before < len(sent) == len(set(sent)) < ALLOWED
    expect(page.get_by_role("cell", name="airflow:admin").first).to_be_visible()
    page.get_by_role("link", name="Campaigns").click()
    page.get_by_role("link", name="spring_orders").click()
    picture(admin, "live-campaign")

    guarded.simulator.clear_faults()
    page.get_by_role("button", name="Resend failed").click()
    page.get_by_label("Why?").fill("Genesys is well again")
    page.get_by_role("button", name="Send to them again").click()
    run, found = started(guarded, page)
    assert found["conf"]["only_failed_of"] == "once"
    assert found["conf"]["occurrence"] == "once-resend"
    assert guarded.rest.ended(run) == "success"
    again = sent_to(guarded)
    assert len(again) == len(set(again)) == ALLOWED


def started(stack: Stack, page: FrameLocator) -> tuple[str, Any]:
    """Return the path of the run that the page says it has started, and what Airflow has of it."""
    said = page.get_by_text("has started.")
    expect(said).to_be_visible()
    run = f"dags/send_campaign/dagRuns/{said.get_by_role('link').inner_text()}"
    return run, stack.rest.get(run)
