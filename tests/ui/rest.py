"""What the tests ask of Airflow's REST API, as a person with a script would."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import requests

AWAITING = "awaiting_input"
FINAL = ("success", "failed")


class Rest:
    """One session with an Airflow whose users are all admins."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        token = self._session.get(f"{url}/auth/token", timeout=60).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        """Make a request below /api/v2."""
        return self._session.request(method, f"{self._url}/api/v2/{path}", json=body, timeout=60)

    def get(self, path: str) -> Any:
        """Return the JSON of a path below /api/v2."""
        answer = self.call("GET", path)
        answer.raise_for_status()
        return answer.json()

    def make_connection(self, conn_id: str, *, extra: Mapping[str, Any], **fields: str) -> None:
        """Store a connection of our type."""
        body = {"connection_id": conn_id, "conn_type": "genesys_cloud", "extra": json.dumps(extra)}
        self.call("POST", "connections", body | fields).raise_for_status()

    def start(self, conf: Mapping[str, Any]) -> str:
        """Start send_campaign, and return the run's path below /api/v2."""
        path = "dags/send_campaign/dagRuns"
        answer = self.call("POST", path, {"logical_date": None, "conf": dict(conf)})
        answer.raise_for_status()
        return f"{path}/{answer.json()['dag_run_id']}"

    def ended(self, run: str, timeout_s: float = 90) -> str:
        """Wait for a run to end, and return its state."""
        return self._wait(run, FINAL, timeout_s)

    def wait_for_question(self, run: str, timeout_s: float = 90) -> None:
        """Wait until a run asks for approval, and until an answer is safe to give.

        Airflow marks a task as failed that is answered in the second in which it begins to wait.
        """
        self._wait(f"{run}/taskInstances/approve", (AWAITING,), timeout_s)
        time.sleep(2)

    def answer(self, run: str, word: str) -> None:
        """Approve or Reject."""
        path = f"{run}/taskInstances/approve/-1/hitlDetails"
        self.call("PATCH", path, {"chosen_options": [word], "params_input": {}}).raise_for_status()

    def returned(self, run: str, task_id: str) -> Any:
        """Return what a task returned."""
        path = f"{run}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true"
        return self.get(path)["value"]

    def log(self, run: str, task_id: str) -> str:
        """Return the lines of a task's first try."""
        content = self.get(f"{run}/taskInstances/{task_id}/logs/1?full_content=true")["content"]
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in content)

    def _wait(self, path: str, states: tuple[str, ...], timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        while (state := self.get(path)["state"]) not in states:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is {state} after {timeout_s} s")
            time.sleep(0.5)
        return str(state)
