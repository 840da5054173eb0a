"""The question whether to send a plan, and what becomes of its answer.

Each way that it can end is in the audit trail; what fails the task is told the summary, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, Self

from genesys_cloud.errors import AnswerRefusedError, CampaignError, NotApprovedError
from genesys_cloud.hooks.genesys_cloud import ledger_url
from genesys_cloud.ledger import approvals, audit
from genesys_cloud.ledger.audit import AuditEntry
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.settings import Settings
from genesys_cloud.workflows.actors import MOST, actor_of, run_of
from genesys_cloud.workflows.approval.approved_plan import check_files, check_released, plan_of
from genesys_cloud.workflows.approval.question import preview_page, question_text, shown_digest

NOT_SENT = "not_sent"
"""The key under which a task tells the summary why nothing is sent."""

ASKED = ("occurrence_id", "occurrence", "plan_digest")
"""What of a plan the question is bound to."""

START_AGAIN = "Nothing was sent. Start the campaign again to be asked again."


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question of one run.

    `asked` is the plan that it is about and, once it is put, `until` when it stands.
    """

    context: Any
    asked: Mapping[str, Any]

    @classmethod
    def about(cls, context: Any) -> Self:
        """Return the question about what the run's first task has planned."""
        planned = context["ti"].xcom_pull(task_ids="plan")
        return cls(context=context, asked={name: planned.get(name) for name in ASKED})

    def put(self) -> tuple[datetime, str]:
        """Return until when the question stands, and its text in Markdown.

        Raises NotApprovedError where the plan is another by now, or its deadline has passed.
        """
        from airflow.sdk.configuration import conf

        now, params, run = datetime.now(UTC), self.context["params"], self.context["dag_run"]
        with _ledger() as ledger, self._void_is_told("airflow"):
            deadline = plan_of(ledger, self.asked, params).deadline
        if deadline and deadline <= now:
            self.miss("deadline")
        stands = timedelta(hours=params["approval_hours"])
        until = min(now + stands, deadline or now + stands)
        text = question_text(
            self.context["ti"].xcom_pull(task_ids="plan"),
            params,
            started_by=run.triggering_user_name or run.run_id,
            not_by=run.triggering_user_name if params["approval_by_other"] else None,
            until=until,
            page=preview_page(run.dag_id, run.run_id, conf.get("api", "base_url", fallback="")),
        )
        return until, text

    def check_shown(self, text: str) -> None:
        """Raise NotApprovedError where the text that Airflow shows is about another plan."""
        if shown_digest(self.asked["plan_digest"]) in text:
            return
        with self._void_is_told("airflow"):
            raise NotApprovedError(
                f"{self._campaign} was planned anew in a run that had asked already, and Airflow "
                f"would show the text of the plan before it. {START_AGAIN}",
                reason="planned_anew",
            )

    def waive(self) -> None:
        """Write down that nobody was asked."""
        self._note("campaign.approval_waived", actor_of(self.context["dag_run"]))

    def miss(self, reason: str) -> NoReturn:
        """End without an answer; `reason` is Airflow's word for it, or `deadline`."""
        reason = "deadline" if self._is_late() else reason
        why = {
            "deadline": "its deadline passed before anybody approved it",
            "timeout": f"nobody answered within {self.context['params']['approval_hours']:g} hours",
        }.get(reason, f"its question ended with an error of Airflow's ({reason})")
        self._note("campaign.approval_missed", "airflow", reason=reason)
        self._fail(NotApprovedError(f"{self._campaign}: {why}. {START_AGAIN}"))

    def reject(self, user: Mapping[str, Any] | None) -> NoReturn:
        """End with somebody's no, which also takes back what was approved of this plan before."""
        actor = _actor(user)
        entry = self._entry("campaign.rejected", actor)
        with _ledger() as ledger:
            approvals.withdraw(
                ledger, self._occurrence_id, self.asked.get("plan_digest") or "", entry
            )
        self._fail(NotApprovedError(f"{self._campaign} was rejected by {actor}. {START_AGAIN}"))

    def check_in_time(self, answered_at: datetime) -> None:
        """Raise NotApprovedError where an answer came after the question's time.

        Airflow takes one until its scheduler has looked, and that may have been down for hours.
        """
        until = self.asked.get("until")
        if until and datetime.fromisoformat(until) < answered_at:
            self.miss("timeout")

    def approve(self, user: Mapping[str, Any] | None) -> None:
        """Write down somebody's yes, if that is somebody who may, and the plan is still that one.

        Raises AnswerRefusedError where somebody else has to answer, and NotApprovedError where the
        approval is void.
        """
        self._check_who(user)
        if self._is_late():
            self.miss("deadline")
        actor, params = _actor(user), self.context["params"]
        with _ledger() as ledger, self._void_is_told(actor):
            found = plan_of(ledger, self.asked, params)
            check_files(found, Settings.from_environment().include_dir)
            entry = self._entry("campaign.approved", actor)
            if not approvals.approve(
                ledger, self.asked["occurrence_id"], self.asked["plan_digest"], actor, entry
            ):
                plan_of(ledger, self.asked, params)  # it was planned anew this very moment

    def release(self) -> None:
        """Let the plan out, by what the ledger says of it; raise NotApprovedError where it stays.

        What state a person gave the tasks before does not count, nor what the tasks returned.
        """
        params, run = self.context["params"], self.context["dag_run"]
        include = Settings.from_environment().include_dir
        with _ledger() as ledger, self._void_is_told("airflow"):
            check_released(ledger, self.asked, params, run, include)

    def _check_who(self, user: Mapping[str, Any] | None) -> None:
        starter = self.context["dag_run"].triggering_user_name
        if not user:
            why, reason = "no user of Airflow has given it", "no_user"
        elif self.context["params"]["approval_by_other"] and _same(user, starter):
            why, reason = f"{starter} has started this run, and somebody else must", "same_user"
        else:
            return
        self._note("campaign.approval_refused", _actor(user), reason=reason)
        self._fail(
            AnswerRefusedError(
                f"The approval of {self._campaign} does not count: {why}. Nothing was sent; the "
                "question is asked again under Required Actions."
            )
        )

    def _is_late(self) -> bool:
        with _ledger() as ledger:
            found = approvals.standing(ledger, self._occurrence_id)
        return bool(found and found.deadline and found.deadline <= datetime.now(UTC))

    @property
    def _occurrence_id(self) -> int:
        return int(self.asked.get("occurrence_id") or 0)

    @property
    def _campaign(self) -> str:
        return f"Campaign {self.context['params']['campaign_id']!r}"

    @contextmanager
    def _void_is_told(self, actor: str) -> Iterator[None]:
        try:
            yield
        except NotApprovedError as void:
            self._note("campaign.approval_void", actor, reason=void.reason)
            self._fail(void)

    def _fail(self, error: CampaignError) -> NoReturn:
        self.context["ti"].xcom_push(key=NOT_SENT, value=str(error))
        raise error

    def _note(self, action: str, actor: str, *, reason: str | None = None) -> None:
        with _ledger() as ledger:
            audit.note(ledger, self._entry(action, actor, reason))

    def _entry(self, action: str, actor: str, reason: str | None = None) -> AuditEntry:
        about = {
            "run": run_of(self.context["dag_run"]),
            "occurrence": self.asked.get("occurrence"),
            "plan_digest": self.asked.get("plan_digest"),
            "reason": reason,
        }
        return AuditEntry(
            at=datetime.now(UTC),
            actor=actor,
            action=action,
            campaign_id=self.context["params"]["campaign_id"],
            details={name: value for name, value in about.items() if value is not None},
        )


def why_not_sent(ti: Any) -> str | None:
    """Return with which sentence a run's question ended, None where it let the plan out."""
    said = (ti.xcom_pull(task_ids=task_id, key=NOT_SENT) for task_id in ("approve", "shards"))
    return next(filter(None, said), None)


def _actor(user: Mapping[str, Any] | None) -> str:
    name = (user or {}).get("name") or (user or {}).get("id") or "unknown"
    return f"airflow:{name}"[:MOST]


def _same(user: Mapping[str, Any], starter: str | None) -> bool:
    """Return whether a user is the one who started; an id or a name that is the same will do."""
    known = {str(user.get(name) or "").strip().casefold() for name in ("id", "name")} - {""}
    return bool(starter) and str(starter).strip().casefold() in known


@contextmanager
def _ledger() -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url())
    try:
        yield ledger
    finally:
        ledger.close()
