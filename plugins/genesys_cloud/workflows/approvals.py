"""A person's yes or no to a campaign, asked in Airflow's Required Actions and kept in the audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator

from genesys_cloud.workflows.actors import MOST, actor_of, run_of

TIMEOUT = timedelta(hours=24)
"""After it, nothing is sent."""

BODY = """\
{% set planned = ti.xcom_pull(task_ids="plan") -%}
{% set counts = planned["counts"] -%}
{% set to_send = planned.get("to_send", counts["planned"]) -%}
**{{ "{:,}".format(to_send) }}** messages will be sent on `{{ params.channel }}` from
`{{ params.sender }}` with template `{{ params.template }}` (profile {{ planned["profile"] }}).
{% if params.use_active_conversation -%}
They go into conversations that people are having: a bot takes them for the customer's own words.
{% endif %}
| | |
|---|---|
| recipients in the audience | {{ "{:,}".format(counts["recipients"]) }} |
{% if to_send != counts["planned"] -%}
| settled by an earlier run | {{ "{:,}".format(counts["planned"] - to_send) }} |
{% endif -%}
{% if counts["held"] -%}
| held by quiet hours, from {{ counts["opens_at"] }} on | {{ "{:,}".format(counts["held"]) }} |
{% endif -%}
{% if planned.get("lint", {}).get("warning") -%}
| warnings about the template, in the log of **plan** | {{ planned["lint"]["warning"] }} |
{% endif -%}
{% for code, count in counts["blocked"].items() -%}
| blocked: {{ code }} | {{ "{:,}".format(count) }} |
{% endfor -%}
{% for language, count in counts["languages"].items() -%}
| language {{ language }} | {{ "{:,}".format(count) }} |
{% endfor %}
"""


class CampaignApproval(ApprovalOperator):
    """Asks a person whether to send, where the run says that it must be asked; a no fails it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            subject="Send campaign {{ params.campaign_id }}?",
            body=BODY,
            response_timeout=TIMEOUT,
            fail_on_reject=True,
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        """Pass at once for a dry run, or where no approval is required."""
        params = context["params"]
        if params["dry_run"] or not params["require_approval"]:
            if not params["dry_run"]:
                note_answer(context, "campaign.approval_waived", actor_of(context["dag_run"]))
            return {"chosen_options": [self.APPROVE], "asked": False}
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Write down who answered what, and go on or fail by it."""
        if "error" in event:
            note_answer(context, "campaign.approval_missed", "airflow", event["error_type"])
        else:
            user = event.get("responded_by_user") or {}
            name = user.get("name") or user.get("id") or "unknown"
            approved = event["chosen_options"] == [self.APPROVE]
            action = "campaign.approved" if approved else "campaign.rejected"
            note_answer(context, action, f"airflow:{name}"[:MOST])
        return super().execute_complete(context, event)


def note_answer(context: Any, action: str, actor: str, reason: str | None = None) -> None:
    """Append to the audit trail who approved or rejected a campaign, or that nobody was asked."""
    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger import audit
    from genesys_cloud.ledger.audit import AuditEntry
    from genesys_cloud.ledger.database import open_ledger

    entry = AuditEntry(
        at=datetime.now(UTC),
        actor=actor,
        action=action,
        campaign_id=context["params"]["campaign_id"],
        details={"run": run_of(context["dag_run"]), **({"reason": reason} if reason else {})},
    )
    ledger = open_ledger(ledger_url())
    audit.note(ledger, entry)
    ledger.close()
