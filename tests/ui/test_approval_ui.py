"""The question whether to send, as people meet it in a real Airflow."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Stack
from tests.ui.rest import AWAITING

pytestmark = pytest.mark.browser

SCREENSHOTS = os.environ.get("UI_SCREENSHOTS")
REAL = {
    "audience": "orders.csv",
    "template": "order_update",
    "sender": "+12025550100",
    "dry_run": False,
    "require_approval": True,
}
SENDABLE = 37
"""Of the 40 rows of orders.csv: one without consent, one without an order, one bad number."""


def asked(stack: Stack, **conf: object) -> str:
    """Start a run of a campaign, wait until it asks, and return its path."""
    stack.simulator.reset()
    run = stack.rest.start(REAL | conf)
    stack.rest.wait_for_question(run)
    return run


def ask_again(stack: Stack, run: str) -> None:
    """Clear the question's task with what follows it, as people do, and wait until it asks."""
    cleared = {
        "dry_run": False,
        "task_ids": ["approve"],
        "include_downstream": True,
        "only_failed": False,
        "dag_run_id": run.rpartition("/")[2],
    }
    stack.rest.call("POST", "dags/send_campaign/clearTaskInstances", cleared).raise_for_status()
    wait_for_try(stack, run, 2)


def wait_for_try(stack: Stack, run: str, number: int) -> None:
    """Wait until the question is put another time."""
    deadline = time.monotonic() + 60
    path = f"{run}/taskInstances/approve"
    while True:
        found = stack.rest.get(path)
        if (found["state"], found["try_number"]) == (AWAITING, number):
            time.sleep(2)  # until an answer is safe to give
            return
        assert time.monotonic() < deadline, (found["state"], found["try_number"])
        time.sleep(0.5)


@pytest.mark.usefixtures("unanswered")  # test_unanswered.py looks at it, some minutes later
def test_the_question_shows_the_plan_and_leads_to_its_preview(stack: Stack, page: Page) -> None:
    run = asked(stack, campaign_id="autumn_orders")
    page.goto(f"{stack.airflow.url}/required_actions")
    page.get_by_role("link", name="Send campaign autumn_orders?").first.click()
    expect(page.get_by_text(f"{SENDABLE} messages will be sent")).to_be_visible()
    digest = stack.rest.returned(run, "plan")["plan_digest"]
    expect(page.get_by_text(digest[:12])).to_be_visible()
    expect(page.get_by_text("consent_not_verified")).to_be_visible()
    link = page.get_by_role("link", name="Preview: the texts").get_attribute("href")
    if SCREENSHOTS:
        page.wait_for_timeout(500)  # whatever still slides into place
        page.screenshot(path=str(Path(SCREENSHOTS) / "approval.png"))
    page.get_by_role("button", name="Approve").click()
    assert stack.rest.ended(run) == "success"
    assert len(stack.simulator.messages()) == SENDABLE
    assert link is not None
    page.goto(f"{stack.airflow.url}{link}")
    expect(page.locator("iframe[src*='/genesys/preview?dag_id=send_campaign']")).to_be_visible()


def test_a_no_is_final_until_somebody_has_the_question_put_again(stack: Stack) -> None:
    run = asked(stack, campaign_id="late_orders")
    stack.rest.answer(run, "Reject")
    assert stack.rest.ended(run) == "failed"
    assert "was rejected by airflow:Anonymous. Nothing was sent." in stack.rest.log(run, "summary")
    assert stack.simulator.messages() == []
    ask_again(stack, run)
    stack.rest.answer(run, "Approve")
    assert stack.rest.ended(run) == "success"
    assert len(stack.simulator.messages()) == SENDABLE


def test_who_may_not_answer_is_asked_again_and_can_still_say_no(stack: Stack) -> None:
    """Everybody is the same user here, so that nobody may approve."""
    run = asked(stack, campaign_id="our_orders", approval_by_other=True)
    stack.rest.answer(run, "Approve")
    wait_for_try(stack, run, 2)
    assert "Anonymous has started this run, and somebody else must" in stack.rest.log(
        run, "approve"
    )
    stack.rest.answer(run, "Reject")
    assert stack.rest.ended(run) == "failed"
    assert stack.simulator.messages() == []
