"""Who does what a DAG run does, as the audit trail keeps it."""

from __future__ import annotations

from typing import Any

MOST = 200
"""Characters that the trail keeps of an actor."""


def actor_of(dag_run: Any) -> str:
    """Return the user who started the run where Airflow tells it, else the run.

    A task that is called without a run, as a notebook does, is Airflow's own.
    """
    if dag_run is None:
        return "airflow"
    return f"airflow:{dag_run.triggering_user_name or dag_run.run_id}"[:MOST]


def run_of(dag_run: Any) -> str:
    """Return the name of a run that people find in the UI."""
    return f"{dag_run.dag_id}/{dag_run.run_id}" if dag_run is not None else ""
