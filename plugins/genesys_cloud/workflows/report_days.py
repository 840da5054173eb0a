"""Which UTC days a run of the delivery report is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from genesys_cloud.errors import CampaignDefinitionError

_DAY = timedelta(days=1)


def interval_of(
    params: Mapping[str, Any], dag_run: Any, *, now: datetime
) -> tuple[datetime, datetime]:
    """Return the UTC day to report: the Param `date`, else the run's data interval.

    Raises CampaignDefinitionError where there is neither, or where the day has not ended and
    `allow_incomplete` does not say that this is meant.
    """
    if params["date"]:
        start, end = interval_of_day(params["date"])
    elif dag_run.data_interval_start and dag_run.data_interval_end:
        start, end = dag_run.data_interval_start, dag_run.data_interval_end
    else:
        raise CampaignDefinitionError(
            "This run has no data interval, so it names no day. Fill in `date`, or start it with a "
            "logical date."
        )
    if end > now and not params["allow_incomplete"]:
        raise CampaignDefinitionError(
            f"The day {start.date()} has not ended (it is {now:%Y-%m-%d %H:%M} UTC), so its report "
            "would be incomplete. Wait, or set `allow_incomplete`."
        )
    return start, end


def interval_of_day(day: str) -> tuple[datetime, datetime]:
    """Return the UTC day that an ISO date names, as [start, end)."""
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return start, start + _DAY


def days_before(params: Mapping[str, Any], dag_run: Any) -> list[str]:
    """Return the `refresh_days` days before a scheduled run's own, the latest first.

    A backfill or a run by hand is about its own day alone.
    """
    if dag_run.run_type != "scheduled" or params["date"] or not dag_run.data_interval_start:
        return []
    own = dag_run.data_interval_start.astimezone(UTC).date()
    return [(own - n * _DAY).isoformat() for n in range(1, params["refresh_days"] + 1)]
