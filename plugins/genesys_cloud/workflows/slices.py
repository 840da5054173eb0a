"""Sends a slice of a campaign as its run says: the connection, the limits and the quiet hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from genesys_cloud.hooks.genesys_cloud import GenesysCloudHook
from genesys_cloud.ledger.database import Ledger
from genesys_cloud.ledger.shards import Shard
from genesys_cloud.settings import Settings
from genesys_cloud.workflows.holding import read_quiet_hours
from genesys_cloud.workflows.pace import limits_of
from genesys_cloud.workflows.preparing import check_profile
from genesys_cloud.workflows.sending import send_shard
from genesys_cloud.workflows.stats import airflow_stats


def send_slice(
    ledger: Ledger, shard: Shard, planned: Mapping[str, Any], params: Mapping[str, Any]
) -> Counter[str]:
    """Send what is planned in a shard, and return how many messages ended in which state."""
    quiet = read_quiet_hours(Settings.from_environment().include_dir)
    hook = GenesysCloudHook()
    account = hook.account()
    with hook.get_conn() as client:
        client.authenticate()  # before a slot is taken: the first message shall not be late
        check_profile(planned, client.profile, connection=account.name)
        limits = limits_of(
            account,
            client.requests_per_minute,
            campaign_id=planned["campaign_id"],
            messages_per_minute=params["messages_per_minute"],
            sender=params["sender"],
            segments_per_second=params["segments_per_second"],
        )
        return send_shard(
            ledger,
            client,
            shard,
            limits=limits,
            timeout_s=account.timeout_s,
            quiet=quiet,
            stats=airflow_stats(),
        )
