"""The operator that waits for windows to open, and holds no worker while it waits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseOperator

from genesys_cloud.workflows.pool import POOL
from genesys_cloud.workflows.retries import SENDING
from genesys_cloud.workflows.waiting import wait_until

log = logging.getLogger(__name__)


class SendHeld(BaseOperator):
    """Sends what quiet hours hold as each window opens, until nothing is held.

    Between two windows the task is deferred: it waits in the triggerer, and takes no worker's slot.
    A campaign that is paused when a window opens keeps what is held; starting it again goes on.
    """

    template_fields = ("planned",)

    def __init__(self, *, planned: Any, **kwargs: Any) -> None:
        # Where a send task has failed, or somebody said no, nothing more is sent; where all shards
        # were skipped, everybody may be held.
        super().__init__(trigger_rule="none_failed", pool=POOL, **SENDING, **kwargs)
        self.planned = planned

    def execute(self, context: Any) -> dict[str, int]:
        """Send what may go out now."""
        return self.go_on(context)

    def go_on(
        self, context: Any, event: object = None, so_far: Mapping[str, int] | None = None
    ) -> dict[str, int]:
        """Send what may go out now, and wait for the next window or return the sums.

        `event` is the trigger's, and says no more than that its time has come; `so_far` are the
        sums of the passes before.
        """
        if context["params"]["dry_run"]:
            return {}
        sent, next_at = one_pass(self.planned, context["params"])
        sums = dict(Counter(so_far or {}) + sent)
        if next_at is not None:
            log.info("so far: %s; the next window opens at %s", sums, next_at)
            wait_until(self, next_at, then="go_on", so_far=sums)
        return sums


def one_pass(
    planned: Mapping[str, Any], params: Mapping[str, Any]
) -> tuple[Counter[str], datetime | None]:
    """Send once what is held and may go out; return the counts, and when to come again."""
    from functools import partial

    from genesys_cloud.workflows.holding import send_due
    from genesys_cloud.workflows.recording import recording_ledger
    from genesys_cloud.workflows.slices import send_slice

    ledger = recording_ledger()
    try:
        send = partial(send_slice, ledger, planned=planned, params=params)
        now = partial(datetime.now, UTC)
        return send_due(ledger, planned["occurrence_id"], planned.get("plan_digest"), send, now)
    finally:
        ledger.close()
