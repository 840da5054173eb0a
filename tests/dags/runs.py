"""DAG runs in this process, and what they left in Airflow's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@cache
def dag_bag() -> Any:
    """Return every DAG of dags/, parsed once; look at them, and run none."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(ROOT / "dags")


def dag_to_run(dag_id: str) -> Any:
    """Return a DAG parsed afresh, for a run writes its conf into the DAG's own Params.

    Its tasks do not wait half a minute to try again.
    """
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(ROOT / "dags" / f"{dag_id}.py").dags[dag_id]
    for task in dag.tasks:
        if task.is_mapped:
            task.partial_kwargs["retries"] = 0
        else:
            task.retries = 0
    return dag


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A DAG run's end: its state, its tasks' states, and what they returned."""

    dag_id: str
    run_id: str
    state: str
    tasks: Mapping[str, list[str]]
    returned: Mapping[str, list[Any]]

    def one(self, task_id: str) -> Any:
        """Return what the one instance of a task returned."""
        (value,) = self.returned[task_id]
        return value


class DagRuns:
    """Runs DAGs with `dag.test()`; `database` is the file of Airflow's own database."""

    def __init__(self, database: Path) -> None:
        self.database = database

    def run(
        self, dag_id: str, conf: Mapping[str, Any], *, logical_date: datetime | None = None
    ) -> FinishedRun:
        """Run a DAG to its end; without a logical date it has none, as a start by hand."""
        ended = dag_to_run(dag_id).test(run_conf=dict(conf), logical_date=logical_date)
        return self._look(dag_id, str(ended.run_id), str(ended.state.value))

    def stored(self) -> bytes:
        """Return all that Airflow's database holds, write-ahead log included."""
        files = sorted(self.database.parent.glob(f"{self.database.name}*"))
        return b"".join(file.read_bytes() for file in files)

    def _look(self, dag_id: str, run_id: str, state: str) -> FinishedRun:
        from airflow.models.taskinstance import TaskInstance
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session
        from sqlalchemy import select

        tasks: dict[str, list[str]] = {}
        returned: dict[str, list[Any]] = {}
        with create_session() as session:
            instances = session.scalars(
                select(TaskInstance)
                .where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
                .order_by(TaskInstance.task_id, TaskInstance.map_index)
            )
            for instance in instances:
                tasks.setdefault(instance.task_id, []).append(str(instance.state))
            values = session.scalars(
                select(XComModel)
                .where(XComModel.dag_id == dag_id, XComModel.run_id == run_id)
                .where(XComModel.key == "return_value")
                .order_by(XComModel.task_id, XComModel.map_index)
            )
            for value in values:
                returned.setdefault(value.task_id, []).append(XComModel.deserialize_value(value))
        return FinishedRun(
            dag_id=dag_id, run_id=run_id, state=state, tasks=tasks, returned=returned
        )


def ledger_rows(place: Path) -> list[dict[str, Any]]:
    """Return the messages in the ledger of a test, in the order of the contact list."""
    query = "SELECT m.*, o.occurrence FROM messages m JOIN occurrences o ON o.id = m.occurrence_id"
    with closing(sqlite3.connect(place / "ledger.db")) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(f"{query} ORDER BY m.occurrence_id, m.row_number")
        return [dict(row) for row in rows]
