"""Airflow as people see it: the forms, the Test button, a dry run, an approval, a rejection.

UI_SCREENSHOTS=docs/images takes the pictures of the documents anew.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
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
    page.goto(f"{stack.airflow.url}/dags/send_campaign")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    for name, value in FILLED_IN.items():
        form.locator(f"#element_{name}").fill(value)
    return form


def test_a_wrong_value_is_refused_in_the_form_by_its_name(stack: Stack, page: Page) -> None:
    form = open_form(stack, page)
    form.locator("#element_campaign_id").fill("spring orders")
    form.get_by_role("button", name="Trigger", exact=True).click()
    expect(form.get_by_text("Invalid input for param campaign_id: 'spring orders'")).to_be_visible()


def test_a_dry_run_from_the_form_shows_its_table_in_the_log(stack: Stack, page: Page) -> None:
    form = open_form(stack, page)
    # What every run needs is there without unfolding anything, each with its explanation.
    for words in ("Plan, validate and report, and send nothing", "Wait, after planning, until"):
        expect(form.get_by_text(words)).to_be_visible()
    expect(form.locator("[name=element_dry_run]")).to_be_checked()
    expect(form.locator("[name=element_require_approval]")).to_be_checked()
    expect(form.get_by_role("button", name="Pace and repetition")).to_be_visible()
    picture(page, "send-campaign-form")
    with page.expect_response(re.compile("dagRuns$")) as caught:
        form.get_by_role("button", name="Trigger", exact=True).click()
    run_id = caught.value.json()["dag_run_id"]
    run = f"dags/send_campaign/dagRuns/{run_id}"

    assert stack.rest.ended(run) == "success"
    assert stack.rest.returned(run, "summary")["planned"] == SENDABLE
    page.goto(f"{stack.airflow.url}/dags/send_campaign/runs/{run_id}/tasks/plan")
    table = page.get_by_text(re.compile(rf"ready to send\s+{SENDABLE}"))
    expect(table).to_be_visible()
    expect(page.get_by_text(re.compile(r"consent_not_verified\s+1"))).to_be_visible()
    assert stack.simulator.messages() == []


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
    picture(page, "approval")
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
    assert "'summer_orders' was not approved, so this run has sent nothing" in stack.rest.log(
        run, "summary"
    )
    assert audit_trail(stack)[-1][1:] == ("campaign.rejected", "summer_orders")
