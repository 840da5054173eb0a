"""When a task tries again: where the error's place in the tree says that it can help."""

from __future__ import annotations

import pytest

from genesys_cloud.errors import (
    AuthenticationError,
    LedgerUnavailableError,
    NotSentError,
    PermissionDeniedError,
    TemplateError,
    ThrottledError,
    UnaccountedError,
)
from genesys_cloud.workflows.retries import CampaignRetryPolicy
from tests.dags.runs import dag_bag

CAMPAIGNS = ("appointment_reminder", "order_update", "send_campaign")


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (TemplateError("x"), "fail"),
        (AuthenticationError("x", status=401), "fail"),
        (PermissionDeniedError("x", status=403), "fail"),
        (UnaccountedError("x"), "fail"),
        (ThrottledError("x", status=429, retry_after=7), "retry"),
        (ThrottledError("x", status=429), "default"),
        (NotSentError("x"), "default"),
        (LedgerUnavailableError("x"), "default"),
        (RuntimeError("x"), "default"),
    ],
)
def test_a_task_tries_again_only_where_that_can_help(error: Exception, action: str) -> None:
    decision = CampaignRetryPolicy().evaluate(error, 1, 5)
    assert decision.action.value == action
    if isinstance(error, ThrottledError) and error.retry_after:
        assert decision.retry_delay is not None
        assert decision.retry_delay.total_seconds() == 7


def test_the_retry_policy_survives_airflows_database() -> None:
    made = CampaignRetryPolicy.deserialize(CampaignRetryPolicy().serialize())
    assert isinstance(made, CampaignRetryPolicy)


def test_every_task_has_the_policy_that_reads_our_errors() -> None:
    without = [
        f"{dag_id}.{task.task_id}"
        for dag_id, dag in dag_bag().dags.items()
        for task in dag.tasks
        if task.retries and not isinstance(task.retry_policy, CampaignRetryPolicy)
    ]
    assert without == []


def test_no_step_of_a_campaign_ends_with_the_first_word_of_a_ledger_that_is_away() -> None:
    """Approved at night, a run would otherwise stand until somebody clears it."""
    at_once = [
        f"{dag_id}.{task.task_id}"
        for dag_id, dag in dag_bag().dags.items()
        for task in dag.tasks
        if "campaign" in dag.tags and not task.retries
    ]
    # Waiting asks nobody.
    assert sorted(at_once) == [f"{dag_id}.wait" for dag_id in CAMPAIGNS]
