"""Waiting for an instant in the triggerer, where it takes no worker's slot."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, NoReturn

from airflow.sdk import BaseOperator

log = logging.getLogger(__name__)


def wait_until(operator: BaseOperator, moment: datetime, *, then: str, **kwargs: Any) -> NoReturn:
    """Defer a task until an instant, then call its method `then` with these arguments."""
    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

    operator.defer(trigger=DateTimeTrigger(moment=moment), method_name=then, kwargs=kwargs)


class WaitForStart(BaseOperator):
    """Waits until the run's `not_before`; ends at once where there is none, or it is a dry run.

    Airflow's own DateTimeSensorAsync would go to the triggerer and back where nothing is awaited.
    """

    def execute(self, context: Any) -> None:
        """Go on, or wait."""
        from genesys_cloud.workflows.form.run_params import campaign_of

        start = campaign_of(context["params"]).not_before
        if start and start > datetime.now(UTC) and not context["params"]["dry_run"]:
            log.info("nothing goes out before %s", start)
            wait_until(self, start, then="go_on")

    def go_on(self, context: Any, event: object = None) -> None:
        """Let the shards be cut; `event` says no more than that the time has come."""
