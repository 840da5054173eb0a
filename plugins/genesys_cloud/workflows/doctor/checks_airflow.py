"""Checks of Airflow: what it must have for forms and for tasks that run beside each other."""

from __future__ import annotations

from importlib.util import find_spec

from genesys_cloud.workflows.campaign_tasks import MOST_SHARDS
from genesys_cloud.workflows.doctor.checkup import Found, Scene, info, warning, wrong
from genesys_cloud.workflows.pool import POOL


def forms(scene: Scene) -> str | Found:
    """See that Airflow checks the dates and times in its forms."""
    if find_spec("rfc3339_validator") is None:
        return warning(
            "Dates and times in forms are not checked, for rfc3339-validator is not installed. "
            "Install requirements.txt where Airflow's API server runs."
        )
    return "dates and times are checked"


def fan_out(scene: Scene) -> str | Found:
    """See that a campaign may be cut into as many send tasks as it wants."""
    from airflow.configuration import conf

    most = conf.getint("core", "max_map_length")
    if most < MOST_SHARDS:
        return warning(
            f"Airflow maps no more than {most:,} tasks, and a large campaign is cut into "
            f"{MOST_SHARDS:,}. Set AIRFLOW__CORE__MAX_MAP_LENGTH to 1024."
        )
    return f"up to {most:,} tasks of one kind"


def pool(scene: Scene) -> str | Found:
    """Look for the pool without which send tasks wait for ever, where Airflow lets us look."""
    try:
        slots = _slots()
    except Exception as error:
        # A task has no database, a machine without Airflow's neither; each fails in its own way.
        return info(
            f"not to be seen from here ({type(error).__name__}); Airflow's scheduler makes {POOL} "
            "when it starts"
        )
    if slots is None:
        return wrong(
            f"There is no pool {POOL}, so send tasks would wait for ever without a word. Start the "
            f"scheduler again, which makes it, or `airflow pools set {POOL} 4 sends`."
        )
    if slots == 0:
        return wrong(
            f"The pool {POOL} has no slot, so send tasks would wait for ever without a word. Give "
            f"it some: `airflow pools set {POOL} 4 sends`."
        )
    return f"{POOL} has {slots if slots > 0 else 'any number of'} slots"


def _slots() -> int | None:
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    with create_session() as session:
        found = Pool.get_pool(POOL, session=session)
        return None if found is None else int(found.slots)
