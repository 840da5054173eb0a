"""People who answer in Required Actions while a run in this process waits for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

APPROVE, REJECT = "Approve", "Reject"
PATIENCE_S = 120.0
LOOK_EVERY_S = 0.1


class Parked(logging.Handler):
    """Hears that the run waits for people. The question is in Airflow's database a moment earlier;
    who answers then has their answer taken away when the run writes the question's state."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of what `dag.test()` says once a second while it waits."""
        if str(record.msg).startswith("Waiting for Human-in-the-loop input"):
            self._heard.set()

    def wait(self) -> None:
        """Wait until it is said again."""
        self._heard.clear()
        if not self._heard.wait(PATIENCE_S):
            raise TimeoutError("the run does not wait for anybody")


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
    parked, runner = Parked(), logging.getLogger("airflow.sdk.definitions.dag")

    def reply() -> None:
        seen: set[object] = set()
        try:
            for word, user in given:
                asked = _question(seen, over)
                parked.wait()
                shown.append(asked.hitl_detail.body)
                before()
                _say(asked, word, user, params_input or {})
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=reply)
    thread.start()
    runner.addHandler(parked)
    try:
        yield shown
    finally:
        runner.removeHandler(parked)
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
