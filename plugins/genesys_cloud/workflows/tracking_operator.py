"""The operator that asks for statuses pass by pass, and holds no worker between two of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_cloud.workflows.retries import CampaignRetryPolicy
from genesys_cloud.workflows.waiting import wait_until

if TYPE_CHECKING:
    from genesys_cloud.workflows.tracking import Tracked

log = logging.getLogger(__name__)


class TrackStatuses(BaseOperator):
    """Asks for statuses until the run's window is over, or no message owes one.

    Between two passes the task is deferred: it waits in the triggerer, and takes no worker's slot.
    In the profile whose events are pushed there is nothing to do, and it ends at once.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(retries=2, retry_policy=CampaignRetryPolicy(), **kwargs)

    def execute(self, context: Any) -> dict[str, Any]:
        """Make the first pass."""
        return self.again(context)

    def again(
        self, context: Any, event: object = None, so_far: Mapping[str, int] | None = None
    ) -> dict[str, Any]:
        """Make a pass, and wait for the next one or return the sums.

        `event` is the trigger's, and says no more than that its time has come; `so_far` are the
        sums of the passes before.
        """
        params = context["params"]
        tracked = one_pass(params["campaign_id"])
        if tracked is None:
            log.info("Genesys pushes this profile's events; reconcile_sends asks for lost ones")
            return {"profile": "messaging"}
        sums = _sums(so_far or {}, tracked)
        log.info("this run so far: %s; the next status is due at %s", sums, tracked.next_at)
        # The run's own start, for a task's is another one after each wait.
        ends = context["dag_run"].start_date + timedelta(minutes=params["window_minutes"])
        if tracked.next_at is None or tracked.next_at >= ends:
            return {"profile": "agentless"} | sums
        return wait_until(self, tracked.next_at, then="again", so_far=sums)


def one_pass(campaign_id: str | None) -> Tracked | None:
    """Ask once about what is due now; return None in a profile whose events are pushed."""
    from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
    from genesys_cloud.outbound.asking import POLLED
    from genesys_cloud.outbound.stats import Metric
    from genesys_cloud.workflows.pace import account_pace
    from genesys_cloud.workflows.recording import recording_ledger
    from genesys_cloud.workflows.stats import airflow_stats
    from genesys_cloud.workflows.tracking import Bounds, track

    hook = GenesysCloudHook()
    account, ledger = hook.account(), recording_ledger()
    try:
        with hook.get_conn(pace=account_pace(ledger, account)) as client:
            if client.profile != "agentless":
                return None
            bounds = Bounds.of(client.requests_per_minute)
            tracked = track(
                ledger,
                client,
                now=datetime.now(UTC),
                schedule=POLLED,
                bounds=bounds,
                campaign_id=campaign_id,
            )
            airflow_stats().incr(Metric.STATUSES_MOVED, tracked.moved)
            return tracked
    finally:
        ledger.close()


def _sums(so_far: Mapping[str, int], tracked: Tracked) -> dict[str, int]:
    grown = {
        "passes": 1,
        "asked": tracked.asked,
        "moved": tracked.moved,
        "not_known": tracked.not_known,
    }
    return {name: so_far.get(name, 0) + more for name, more in grown.items()}
