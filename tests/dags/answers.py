"""People who answer in Required Actions while a run in this process waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

APPROVE, REJECT = "Approve", "Reject"
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.1
PARKED_S = 1.5
"""How long a question has to stand: the run that parks it writes its state a moment later, and
would take an earlier answer's away."""


@contextmanager
def answers(
    *given: tuple[str, str],
    before: Callable[[], object] = lambda: None,
    params_input: Mapping[str, Any] | None = None,
) -> Iterator[list[str]]:
    """Answer each question of the block's run: a word, and the user who says it.

    `before` happens once the question stands. Yields a list of the texts that were shown.
    """
    shown: list[str] = []
    failures: list[BaseException] = []
    over = threading.Event()

    def reply() -> None:
        seen: set[object] = set()
        try:
            for word, user in given:
                asked = _question(seen, over)
                time.sleep(PARKED_S)
                shown.append(asked.hitl_detail.body)
                before()
                _say(asked, word, user, params_input or {})
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=reply)
    thread.start()
    yield shown
    over.set()
    thread.join(PATIENCE_S)
    if failures:
        raise failures[0]


def _question(seen: set[object], over: threading.Event) -> Any:
    """Wait for a question that is not among those seen, and return its task instance."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    waits = select(TaskInstance).where(
        TaskInstance.task_id == "approve", TaskInstance.state == "awaiting_input"
    )
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and not over.is_set():
        with create_session() as session:
            asked = session.scalar(waits.options(joinedload(TaskInstance.hitl_detail)))
            if asked is not None and asked.id not in seen:
                seen.add(asked.id)
                session.expunge_all()
                return asked
        time.sleep(LOOK_EVERY_S)
    raise TimeoutError("nobody was asked")


def _say(asked: Any, word: str, user: str, params_input: Mapping[str, Any]) -> None:
    """Answer by the very function behind Airflow's REST API."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.utils.session import create_session

    with create_session() as session:
        update_hitl_detail(
            asked.dag_id,
            asked.run_id,
            asked.task_id,
            UpdateHITLDetailPayload(chosen_options=[word], params_input=dict(params_input)),
            SimpleAuthManagerUser(username=user, role="admin"),
            session,
        )
