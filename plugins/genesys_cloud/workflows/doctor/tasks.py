"""The task that looks whether all is there that a campaign needs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow.sdk import task

log = logging.getLogger(__name__)


@task(retries=0)
def look(params: Any = None) -> Mapping[str, int]:
    """Print every check, fail where something is wrong, and say how many lines are of what kind."""
    from genesys_cloud.errors import ConfigurationError
    from genesys_cloud.workflows.doctor.checks import look_around
    from genesys_cloud.workflows.doctor.checkup import counts, table

    checks = list(look_around(params["connection"], try_receiver=params["try_receiver"]))
    log.info("what a campaign needs\n%s", table(checks))
    if wrong := [check for check in checks if not check.ok]:
        names = ", ".join(check.name for check in wrong)
        raise ConfigurationError(
            f"{len(wrong)} of {len(checks)} checks are wrong: {names}. The task's log says of each "
            f"what to do. {wrong[0].name}: {wrong[0].said}"
        )
    return counts(checks)
