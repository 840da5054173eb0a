"""The Airflow pool that caps how many send tasks run at once.

A task whose pool does not exist waits for ever without a word, and a task can't ask for pools, so
Airflow's own jobs (scheduler, DAG processor, triggerer) make it when they start. Its size is
Airflow's to keep: change it in the UI.
"""

from __future__ import annotations

import logging

from airflow.listeners import hookimpl

log = logging.getLogger(__name__)

POOL = "genesys_api"
SLOTS = 4


@hookimpl
def on_starting(component: object) -> None:
    """Make the pool when one of Airflow's jobs starts and there is none.

    A job does not yet know its kind here; what must be left out are tasks, which have no database.
    """
    if type(component).__name__ == "Job":
        ensure_pool()


def ensure_pool() -> None:
    """Make the pool unless it exists; an existing one keeps its size."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy.exc import IntegrityError

    pool = Pool(
        pool=POOL,
        slots=SLOTS,
        description="Send tasks of Genesys Cloud campaigns, at most so many at once.",
        include_deferred=False,
    )
    try:
        with create_session() as session:
            if Pool.get_pool(POOL, session=session) is None:
                session.add(pool)
    except IntegrityError:
        log.debug("another job made the pool %s at the same time", POOL)
