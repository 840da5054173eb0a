"""What an error means for the message that met it."""

from __future__ import annotations

import pytest

from genesys_cloud.errors import OutcomeUnknownError, RequestRejectedError
from genesys_cloud.ledger.sends import Claim
from genesys_cloud.outbound.messages import Receipt, State
from genesys_cloud.outbound.status import Status
from genesys_cloud.workflows.posting import outcome_of, status_of
from tests.api.samples import an_agentless_message

CLAIM = Claim(id=1, fence=1, message=an_agentless_message())


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (RequestRejectedError("no", status=400), State.REJECTED, "rejected_by_genesys"),
        (
            RequestRejectedError("no", status=409, code="active_conversation"),
            State.REJECTED,
            "active_conversation",
        ),
        (OutcomeUnknownError("?"), State.UNKNOWN, "no_clear_answer"),
        (RuntimeError("?"), State.UNKNOWN, "sender_failed"),
    ],
)
def test_a_refusal_that_has_a_name_is_kept_under_it(
    error: Exception, state: State, code: str
) -> None:
    outcome = outcome_of(CLAIM, error)
    assert (outcome.state, outcome.reason_code) == (state, code)


@pytest.mark.parametrize(
    ("word", "conversation", "status"),
    [
        ("failed", "c1", Status.QUEUED),
        ("failed", None, Status.FAILED),
        ("sent", "c1", Status.SENT),
        ("on its way", None, Status.QUEUED),
    ],
)
def test_a_failure_in_a_conversation_is_not_final_before_its_details_are_known(
    word: str, conversation: str | None, status: Status
) -> None:
    receipt = Receipt(message_id="m1", status=word, conversation_id=conversation)
    assert status_of(receipt) is status
