"""A person's yes or no to a campaign, asked in Airflow's Required Actions and kept in the audit.

A yes counts for the very plan that was shown: it is written into the ledger under the plan's
digest, and whatever sends asks there. The state of a task in Airflow lets nothing out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import TaskAwaitingInput

from genesys_cloud.workflows.notices.callbacks import ApprovalNotifier
from genesys_cloud.workflows.retries import CampaignRetryPolicy

MOST_QUESTIONS = 10
"""How often a run asks, where an answer was not one that counts."""

ASK_AGAIN_AFTER = timedelta(seconds=5)


class CampaignApproval(ApprovalOperator):
    """Asks a person whether to send, where the run says that it must be asked; a no fails it."""

    template_fields = ("subject",)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            subject="Send campaign {{ params.campaign_id }}?",
            fail_on_reject=True,
            notifiers=[ApprovalNotifier()],
            # An answer that does not count fails its try, and the next one asks anew.
            retries=MOST_QUESTIONS - 1,
            retry_delay=ASK_AGAIN_AFTER,
            retry_policy=CampaignRetryPolicy(),
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        """Ask; pass at once for a dry run, or where no approval is required."""
        from genesys_cloud.workflows.approval.answering import Question

        params = context["params"]
        if params["dry_run"]:
            return {"chosen_options": [self.APPROVE], "asked": False}
        question = Question.about(context)
        if not params["require_approval"]:
            question.waive()
            return {"chosen_options": [self.APPROVE], "asked": False}
        until, self.body = question.put()
        question.check_shown(self._put_up(context["ti"].id))
        self.response_timeout = until - datetime.now(UTC)
        try:
            return super().execute(context)
        except TaskAwaitingInput as waiting:
            # As it is shown: an XCom can be edited while the question stands.
            waiting.kwargs = {"asked": {**question.asked, "until": until.isoformat()}}
            raise

    def _put_up(self, ti_id: UUID) -> str:
        """Return the text that Airflow shows for ours: a run's first one, however often it asks."""
        from airflow.sdk.execution_time.comms import CreateHITLDetailPayload
        from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

        asked = CreateHITLDetailPayload(
            ti_id=ti_id,
            options=self.options,
            subject=self.subject,
            body=self.body,
            params={},
            assigned_users=[],
        )
        return getattr(SUPERVISOR_COMMS.send(asked), "body", None) or ""

    def execute_complete(
        self, context: Any, event: dict[str, Any], asked: Mapping[str, Any] | None = None
    ) -> Any:
        """Write down who answered what, and go on, fail by it, or ask again."""
        from genesys_cloud.workflows.approval.answering import Question

        question = Question(context=context, asked=asked or {})
        if "error" in event:
            question.miss(event["error_type"])
        user = event.get("responded_by_user")
        if event["chosen_options"] == [self.APPROVE]:
            question.check_in_time(event["responded_at"])
            question.approve(user)
        else:
            question.reject(user)
        # Nothing was asked but yes or no.
        return super().execute_complete(context, event | {"params_input": {}})
