"""Tells people what happened, through the notifiers that include/policies/notifications.toml names.

Airflow calls these after a task has ended, in the task's process, so that nothing here changes how
it ended. Nothing raises: whoever could not be told is a line in the task's log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

from genesys_cloud.errors import CampaignError

if TYPE_CHECKING:
    from genesys_cloud.ledger.database import Ledger
    from genesys_cloud.workflows.notices.notice import Notice
    from genesys_cloud.workflows.notices.rules import Rule

log = logging.getLogger(__name__)

MOST_S = 15
"""How long all notifiers of a task may take; Airflow ends its process 20 s after the task."""

PATIENCE_S = 2
"""How long the ledger is waited for, which says whether somebody has told it already."""


def tell_end(context: Any) -> None:
    """Tell how a campaign's run ended; called after its summary, whether that failed or not."""
    from genesys_cloud.workflows.notices import findings

    _tell(context, findings.end_of)


def tell_pause(context: Any) -> None:
    """Tell that the error budget has paused the campaign; called after each task that sends."""
    from genesys_cloud.workflows.notices import findings

    _tell(context, findings.pause_of)


def tell_incomplete(context: Any) -> None:
    """Tell that a day's report is missing or not whole; called after a task that exports one."""
    from genesys_cloud.workflows.notices import findings

    _tell(context, findings.incomplete_day)


class ApprovalNotifier(BaseNotifier):
    """Tells that a run waits for a person's yes; given to the operator that asks."""

    def notify(self, context: Any) -> None:
        """Tell it."""
        from genesys_cloud.workflows.notices import findings

        _tell(context, findings.waiting)


def _tell(context: Any, look: Callable[[Any], Notice | None]) -> None:
    """Tell what a look finds, to whom the rules say, and let nothing that goes wrong out."""
    from genesys_cloud.settings import Settings
    from genesys_cloud.workflows.notices.rules import read_rules

    try:
        rules = read_rules(Settings.from_environment().include_dir)
        notice = look(context) if rules else None
    except CampaignError as error:
        log.warning("nobody was told how this task ended: %s", error)
        return
    except Exception:
        log.exception("nobody was told how this task ended")
        return
    if notice is not None:
        due = [rule for rule in rules if notice.event in rule.on]
        for rule in due:
            # A share each, so that one that hangs leaves the others their time.
            _tell_once(rule, notice, context, within_s=MOST_S / len(due))


def _tell_once(rule: Rule, notice: Notice, context: Any, *, within_s: float) -> None:
    """Tell it by one rule, unless that has been done; a ledger that is away remembers nothing."""
    from genesys_cloud.hooks.genesys_cloud import ledger_url
    from genesys_cloud.ledger import notices
    from genesys_cloud.ledger.database import open_ledger

    key = (rule.name, notice.event, *notice.about)
    try:
        with closing(open_ledger(ledger_url(), patience_s=PATIENCE_S)) as ledger:
            if not notices.take(ledger, key, datetime.now(UTC)):
                return
    except Exception as error:
        log.warning("nobody can know whether [%s] was told before: %s", rule.name, _said(error))
    told = _notified(rule, notice, context, within_s)
    try:
        with closing(open_ledger(ledger_url(), patience_s=PATIENCE_S)) as ledger:
            if told:
                _note(ledger, rule, notice, context)
            else:
                notices.give_back(ledger, key)
    except Exception as error:
        log.warning("what [%s] was told is not written down: %s", rule.name, _said(error))


def _said(error: Exception) -> str:
    """Return an error's words where they are ours; a driver's may quote what it was given."""
    return str(error) if isinstance(error, CampaignError) else type(error).__name__


def _notified(rule: Rule, notice: Notice, context: Any, within_s: float) -> bool:
    """Return whether the notifier has done its work in time."""
    from airflow.sdk.exceptions import AirflowTaskTimeout
    from airflow.sdk.execution_time.timeout import timeout

    try:
        with timeout(within_s):  # type: ignore[no-untyped-call]  # Airflow's own has no types
            rule.make()({**context, "notice": notice})
    except CampaignError as error:
        log.warning("%s was not told: %s", notice.event, error)
    except (Exception, AirflowTaskTimeout) as error:
        # Airflow has logged the error itself, with its secrets masked.
        kind = type(error).__name__
        log.warning("%s was not told by [%s]: %s", notice.event, rule.name, kind)
    else:
        log.info("%s was told by [%s]", notice.event, rule.name)
        return True
    return False


def _note(ledger: Ledger, rule: Rule, notice: Notice, context: Any) -> None:
    from genesys_cloud.ledger import audit
    from genesys_cloud.ledger.audit import AuditEntry
    from genesys_cloud.workflows.actors import actor_of, run_of

    run = context["dag_run"]
    details = {"event": notice.event.value, "rule": rule.name, "run": run_of(run)}
    entry = AuditEntry(
        at=datetime.now(UTC),
        actor=actor_of(run),
        action="notice.sent",
        campaign_id=notice.campaign_id or None,
        details=details | ({"day": notice.day} if notice.day else {}),
    )
    audit.note(ledger, entry)
