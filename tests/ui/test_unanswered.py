"""A question that nobody answers, in a real Airflow: its scheduler is what ends it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.ui.conftest import Stack
from tests.ui.test_approval_ui import SENDABLE, ask_again

pytestmark = pytest.mark.browser

CAMPAIGN = "forgotten_orders"
LONGEST_S = 300.0
"""Three minutes, and what Airflow takes to look; most is over where other tests ran before."""


def test_a_question_that_nobody_answers_ends_unsent(stack: Stack, unanswered: str) -> None:
    assert stack.rest.ended(unanswered, timeout_s=LONGEST_S) == "failed"
    tasks = stack.rest.get(f"{unanswered}/taskInstances")["task_instances"]
    found = {task["task_id"]: (task["state"], task["try_number"]) for task in tasks}
    assert found["approve"] == ("failed", 1)  # and not asked again
    assert found["shards"] == ("upstream_failed", 0)
    sentence = "nobody answered within 0.05 hours. Nothing was sent."
    assert sentence in stack.rest.log(unanswered, "summary")
    states, approved, entries = before = ledger(stack)
    assert states == [("blocked", 3), ("planned", SENDABLE)]
    assert approved == [(None, None)]
    *_, (actor, action, details) = entries
    assert (actor, action) == ("airflow", "campaign.approval_missed")
    assert json.loads(str(details))["reason"] == "timeout"
    # A yes that comes after all is taken by Airflow, and changes nothing, now or when asked again.
    stack.simulator.reset()
    stack.rest.answer(unanswered, "Approve")
    ask_again(stack, unanswered)
    assert ledger(stack) == before
    assert stack.simulator.messages() == []
    stack.rest.answer(unanswered, "Approve")
    assert stack.rest.ended(unanswered) == "success"
    assert len(stack.simulator.messages()) == SENDABLE


def ledger(stack: Stack) -> list[list[tuple[object, ...]]]:
    """Return the campaign's messages by state, its approvals, and its entries in the trail."""
    queries = (
        "SELECT m.state, count(*) FROM messages m JOIN occurrences o ON o.id = m.occurrence_id"
        " WHERE o.campaign_id = ? GROUP BY m.state ORDER BY m.state",
        "SELECT approved_digest, approved_by FROM occurrences WHERE campaign_id = ?",
        "SELECT actor, action, details FROM audit_entries WHERE campaign_id = ? ORDER BY seq",
    )
    with closing(sqlite3.connect(stack.ledger_file)) as opened:
        return [opened.execute(query, (CAMPAIGN,)).fetchall() for query in queries]
