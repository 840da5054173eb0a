"""Airflow as people see it: the forms, the Test button, a dry run, an approval, a rejection.

UI_SCREENSHOTS=docs/images takes the pictures of the documents anew.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from genesys_cloud.webhook.signature import HEADER, sign
from tests.simulator.caller import WEBHOOKS, Caller, a_webhook
from tests.simulator.server import wait_for
from tests.ui.conftest import WEBHOOK_SECRET, Stack
from tests.webhook.receiver import event_body

pytestmark = pytest.mark.browser

SCREENSHOTS = os.environ.get("UI_SCREENSHOTS")
FILLED_IN = {
    "campaign_id": "spring_orders",
    "audience": "orders.csv",
    "template": "order_update",
    "sender": "+12025550100",
}
REAL = FILLED_IN | {"dry_run": False, "require_approval": True}
AUDIENCES = Path(__file__).resolve().parents[2] / "include" / "audiences"
SENDABLE = 37
"""Of the 40 rows of orders.csv: one without consent, one without an order, one bad number."""


def picture(page: Page, name: str) -> None:
    """Keep a picture for the documents where somebody asked for it."""
    if SCREENSHOTS:
        page.wait_for_timeout(500)  # whatever still slides into place
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"))


def test_airflow_has_nothing_to_complain_about(stack: Stack) -> None:
    assert stack.rest.get("importErrors")["total_entries"] == 0
    assert stack.rest.get("plugins/importErrors")["total_entries"] == 0
    assert stack.rest.get("pools/genesys_api")["slots"] == 4


def test_the_api_server_takes_signed_status_events(stack: Stack) -> None:
    url = f"{stack.airflow.url}/webhooks/genesys-messaging"
    body = event_body("ui-1", "msg_1", "delivered", "2026-01-01T10:00:00Z")
    answers = [
        requests.post(url, data=body, headers={HEADER: sign(body, secret)}, timeout=30)
        for secret in (WEBHOOK_SECRET, "guessed")
    ]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[0].json() == {"result": "parked"}


def test_the_form_of_a_connection_has_our_fields(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.airflow.url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.locator("input[name=connection_id]").fill("genesys_cloud_default")
    form.get_by_role("combobox").first.click()
    page.keyboard.type("Genesys")
    page.get_by_role("option", name="Genesys Cloud").click()
    for label in ("Base URL", "OAuth client ID", "OAuth client secret"):
        expect(form.get_by_text(label, exact=True)).to_be_visible()
    expect(form.get_by_text("Port", exact=True)).to_have_count(0)
    form.get_by_role("button", name="Extra Fields", exact=True).click()
    for label in ("Region", "API profile"):
        expect(form.get_by_role("combobox", name=label)).to_be_visible()
    # Empty: what Genesys says.
    expect(form.get_by_role("spinbutton", name="Requests per minute")).to_have_value("")
    expect(form.locator("#element_webhook_secret")).to_have_attribute("type", "password")
    picture(page, "connection-form")


def test_the_test_button_authenticates_for_real(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.airflow.url}/connections")
    row = page.get_by_role("row", name="genesys_cloud_default")
    with page.expect_response(re.compile("connections/test")) as caught:
        row.get_by_role("button", name="Test Connection").click()
    answer = caught.value.json()
    assert answer["status"], answer
    assert f"Authenticated at {stack.simulator.url}" in answer["message"]
    expect(page.get_by_text("missing: none")).to_be_visible()


def test_a_connection_with_a_wrong_secret_fails_its_test_with_a_sentence(stack: Stack) -> None:
    body = {
        "connection_id": "genesys_wrong",
        "conn_type": "genesys_cloud",
        "host": stack.simulator.url,
        "login": stack.simulator.client_id,
        "password": "not-the-secret",
    }
    answer = stack.rest.call("POST", "connections/test", body).json()
    assert not answer["status"]
    assert "401" in answer["message"]
    assert "not-the-secret" not in answer["message"]


def open_form(stack: Stack, page: Page) -> Locator:
    """Open the form of send_campaign and fill in what a run needs."""
    page.set_viewport_size({"width": 1280, "height": 1500})  # all that is not folded
    page.goto(f"{stack.airflow.url}/dags/send_campaign")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    for name in ("campaign_id", "audience", "sender"):
        form.locator(f"#element_{name}").fill(FILLED_IN[name])
    form.locator("#element_template").click()
    page.get_by_role("option", name=FILLED_IN["template"]).click()
    return form


def options(page: Page, form: Locator, name: str) -> list[str]:
    """Open a drop-down, and return what it offers; the last one is chosen."""
    form.locator(f"#element_{name}").click()
    offered = page.get_by_role("option").all_inner_texts()
    page.get_by_role("option").last.click()
    return offered


def suggestions(form: Locator, name: str) -> list[str | None]:
    """Return what a field suggests to whoever types in it."""
    listed = form.locator(f"#list_{name} option").all()
    return [option.get_attribute("value") for option in listed]


def choose_moment(page: Page, form: Locator, name: str, day: datetime, clock: str) -> None:
    """Choose a day in the calendar of a field, one of this month or the next, and a time."""
    row = form.get_by_role("group").filter(has_text=name)
    row.get_by_text("Select date and time").click()
    calendar = page.locator("[data-scope=popover][data-part=content]:visible")
    while calendar.get_by_text(f"{day:%b %Y}").count() == 0:
        calendar.get_by_role("button").nth(1).click()
    # Days of the months beside it are there too: the last of one before, the first of one after.
    days = calendar.get_by_role("button", name=str(day.day), exact=True)
    (days.first if day.day < 15 else days.last).click()
    calendar.get_by_placeholder("HH:mm").fill(clock)
    page.keyboard.press("Escape")


def test_the_form_offers_what_exists_and_leaves_the_rest_free(stack: Stack, page: Page) -> None:
    form = open_form(stack, page)
    assert options(page, form, "template") == ["appointment_reminder", "order_update"]
    words = ["Apple Messages for Business", "Facebook Messenger", "Open messaging", "SMS"]
    assert options(page, form, "channel") == [*words, "Web messaging", "WhatsApp"]
    lists = sorted(path.name for path in AUDIENCES.glob("*.csv"))
    lists.remove("test_recipients.csv")  # send_test offers it
    assert suggestions(form, "audience") == lists
    assert suggestions(form, "sender") == ["+12025550100", "whatsapp:+12025550100"]
    # Any other address or place may be typed.
    for name in ("audience", "sender"):
        form.locator(f"#element_{name}").fill("another")
        expect(form.locator(f"#element_{name}")).to_have_value("another")
    expect(form.get_by_role("button", name="Trigger", exact=True)).to_be_enabled()


def test_a_wrong_value_is_refused_in_the_form_by_its_name(stack: Stack, page: Page) -> None:
    form = open_form(stack, page)
    form.locator("#element_campaign_id").fill("spring orders")
    form.get_by_role("button", name="Trigger", exact=True).click()
    refusal = form.get_by_text("Invalid input for param campaign_id: 'spring orders'")
    expect(refusal).to_be_visible()
    refusal.scroll_into_view_if_needed()
    picture(page, "send-campaign-refused")


def test_a_wrong_value_that_no_form_can_know_is_refused_by_the_first_task(
    stack: Stack, page: Page
) -> None:
    run = stack.rest.start(FILLED_IN | {"audience": "order.csv"})
    assert stack.rest.ended(run) == "failed"
    page.goto(f"{stack.airflow.url}/dags/send_campaign/runs/{run.rpartition('/')[2]}/tasks/plan")
    # The page cuts long lines, so the sentence is printed on short ones too, with the cure.
    told = page.get_by_text("nothing was planned:")
    expect(told).to_contain_text("There is: orders.csv, ")


def test_a_dry_run_from_the_form_shows_its_table_in_the_log(stack: Stack, page: Page) -> None:
    form = open_form(stack, page)
    # What every run needs is there without unfolding anything, each with its explanation.
    for words in ("Plan, validate and report, and send nothing", "Wait, after planning, until"):
        expect(form.get_by_text(words)).to_be_visible()
    expect(form.locator("[name=element_dry_run]")).to_be_checked()
    expect(form.locator("[name=element_require_approval]")).to_be_checked()
    picture(page, "send-campaign-form")
    form.get_by_role("button", name="When and how fast").click()
    day = datetime.now(UTC) + timedelta(days=2)
    choose_moment(page, form, "Deadline", day, "18:30")
    picture(page, "send-campaign-times")
    with page.expect_response(re.compile("dagRuns$")) as caught:
        form.get_by_role("button", name="Trigger", exact=True).click()
    assert caught.value.json()["conf"]["deadline"] == f"{day:%Y-%m-%d}T18:30:00.000Z"
    run_id = caught.value.json()["dag_run_id"]
    run = f"dags/send_campaign/dagRuns/{run_id}"

    assert stack.rest.ended(run) == "success"
    assert stack.rest.returned(run, "summary")["planned"] == SENDABLE
    page.goto(f"{stack.airflow.url}/dags/send_campaign/runs/{run_id}/tasks/plan")
    table = page.get_by_text(re.compile(rf"ready to send\s+{SENDABLE}"))
    expect(table).to_be_visible()
    expect(page.get_by_text(re.compile(r"consent_not_verified\s+1"))).to_be_visible()
    assert stack.simulator.messages() == []
    page.goto(f"{stack.airflow.url}/dags/send_campaign/runs/{run_id}")
    page.get_by_role("link", name="Preview").click()
    preview = page.frame_locator("iframe")
    expect(preview.get_by_text("dry run").first).to_be_visible()
    expect(preview.get_by_text("order_update").first).to_be_visible()
    picture(page, "preview")


def audit_trail(stack: Stack) -> list[tuple[str, str, str]]:
    """Return actor, action and campaign of each entry of the audit trail."""
    with closing(sqlite3.connect(stack.ledger_file)) as ledger:
        query = "SELECT actor, action, campaign_id FROM audit_entries ORDER BY seq"
        return list(ledger.execute(query))


def statuses(stack: Stack) -> set[str]:
    """Return the statuses that the ledger knows of the messages that went out."""
    with closing(sqlite3.connect(stack.ledger_file)) as ledger:
        rows = ledger.execute("SELECT DISTINCT status FROM messages WHERE state = 'accepted'")
        return {str(status) for (status,) in rows}


@pytest.fixture
def approved(stack: Stack, page: Page) -> str:
    """Start a real run and approve it in Required Actions, as a person does; return its path."""
    stack.simulator.reset()
    genesys = Caller(stack.simulator)
    receiver = f"{stack.airflow.url}/webhooks/genesys-messaging"
    genesys.call("POST", WEBHOOKS, json=a_webhook(receiver, secret=WEBHOOK_SECRET))
    genesys.close()
    run = stack.rest.start(REAL)
    stack.rest.wait_for_question(run)
    assert stack.simulator.messages() == []
    page.goto(f"{stack.airflow.url}/required_actions")
    page.get_by_role("link", name="Send campaign spring_orders?").first.click()
    expect(page.get_by_text(f"{SENDABLE} messages will be sent")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    return run


def test_an_approved_campaign_goes_out(stack: Stack, page: Page, approved: str) -> None:
    assert stack.rest.ended(approved) == "success"
    states: dict[str, Any] = stack.rest.returned(approved, "summary")["states"]
    assert (states["accepted"], states["blocked"]) == (SENDABLE, 3)
    assert len({message["to"] for message in stack.simulator.messages()}) == SENDABLE
    assert len(stack.simulator.messages()) == SENDABLE
    # The API server itself has taken the status events, and every message has an end.
    wait_for(lambda: statuses(stack), lambda found: found <= {"delivered", "read", "failed"})
    actor, *entry = next(one for one in audit_trail(stack) if one[1] == "campaign.approved")
    assert (actor.partition(":")[0], entry) == ("airflow", ["campaign.approved", "spring_orders"])
    run_id = approved.rpartition("/")[2]
    page.goto(f"{stack.airflow.url}/dags/send_campaign/runs/{run_id}/tasks/summary")
    expect(page.get_by_text(re.compile(rf"accepted\s+{SENDABLE}"))).to_be_visible()
    picture(page, "campaign-run")


def test_a_rejected_campaign_sends_nothing_and_says_so(stack: Stack) -> None:
    stack.simulator.reset()
    run = stack.rest.start(REAL | {"campaign_id": "summer_orders"})
    stack.rest.wait_for_question(run)
    stack.rest.answer(run, "Reject")
    assert stack.rest.ended(run) == "failed"
    assert stack.simulator.messages() == []
    assert "'summer_orders' was rejected by airflow:Anonymous" in stack.rest.log(run, "summary")
    assert audit_trail(stack)[-1][1:] == ("campaign.rejected", "summer_orders")
