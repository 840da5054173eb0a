"""Airflow on this machine for one person: how it is set, started and spoken to.

Loopback only, and everybody who reaches it is an admin: never start it like this anywhere else.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from demo.processes import Processes, free_port, surroundings

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
START_TIMEOUT_S = 180.0
FINAL = ("success", "failed")


def environment(home: Path, port: int) -> dict[str, str]:
    """Return the environment of every Airflow process, each setting with its reason."""
    return surroundings() | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # No login, so it may only be reached from here.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        # Tasks report to this address, which follows the port only when told.
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        # A second Airflow on this machine would hold the usual ones.
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port(8793)),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port(8794)),
        # Two cores: more tasks at once only wait for each other.
        "AIRFLOW__CORE__PARALLELISM": "4",
        # At the default of 5 s a quarter of all tasks hold their slot 5 s after they ended.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "20",
        # The access log halves what the API server can serve.
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "http.access=WARNING",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        **_secrets(home),
    }


def _secrets(home: Path) -> dict[str, str]:
    """Return the secrets that all processes share, made at the first start."""
    kept = home / "secrets.json"
    if not kept.exists():
        from cryptography.fernet import Fernet

        home.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        made = {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        }
        kept.write_text(json.dumps(made))
    return dict(json.loads(kept.read_text()))


@dataclass(kw_only=True)
class Airflow:
    """A running Airflow, and what is asked of its REST API."""

    url: str
    env: Mapping[str, str]
    processes: Processes

    @classmethod
    def start(cls, home: Path, processes: Processes, extra: Mapping[str, str]) -> Airflow:
        """Migrate the database and start the four components."""
        port = free_port(8080)
        env = environment(home, port) | dict(extra)
        airflow = str(Path(sys.executable).with_name("airflow"))
        migrated = subprocess.run(
            [airflow, "db", "migrate"], env=env, capture_output=True, text=True, check=False
        )
        if migrated.returncode:
            raise RuntimeError(f"airflow db migrate failed:\n{migrated.stderr[-2_000:]}")
        for component in COMPONENTS:
            processes.start(component, [airflow, component], env)
        return cls(url=f"http://127.0.0.1:{port}", env=env, processes=processes)

    def wait_until_healthy(self, dag_ids: tuple[str, ...]) -> None:
        """Wait until every component reports well, and unpause these DAGs.

        The others stay paused, as they are made: the scheduled campaigns would send at once.
        """
        _wait(self._healthy, self.processes, "Airflow to be healthy")
        for dag_id in dag_ids:
            _wait(lambda dag_id=dag_id: self._unpause(dag_id), self.processes, f"DAG {dag_id}")

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a DAG run and return its id."""
        body = {"logical_date": None, "conf": dict(conf)}
        answer = requests.post(
            f"{self.url}/api/v2/dags/{dag_id}/dagRuns", json=body, headers=self._auth(), timeout=60
        )
        if not answer.ok:
            raise RuntimeError(f"Airflow refused to start {dag_id}: {answer.text}")
        return str(answer.json()["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """Return a run's state."""
        self.processes.check()
        url = f"{self.url}/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        answer = requests.get(url, headers=self._auth(), timeout=60)
        answer.raise_for_status()
        return str(answer.json()["state"])

    def wait_for(
        self, dag_id: str, run_id: str, tick: Callable[[], None], *, timeout_s: float
    ) -> None:
        """Wait for a run to end, calling `tick` meanwhile; a failed run is an error."""
        deadline = time.monotonic() + timeout_s
        while (state := self.state(dag_id, run_id)) not in FINAL:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{dag_id} is still {state} after {timeout_s:.0f} s")
            tick()
            time.sleep(0.5)
        if state != "success":
            raise RuntimeError(f"{dag_id} failed; its logs: {self.run_url(dag_id, run_id)}")

    def run_url(self, dag_id: str, run_id: str) -> str:
        """Return where a person looks at a run."""
        return f"{self.url}/dags/{dag_id}/runs/{run_id}"

    def _auth(self) -> dict[str, str]:
        answer = requests.get(f"{self.url}/auth/token", timeout=60)
        answer.raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def _healthy(self) -> bool:
        health = requests.get(f"{self.url}/api/v2/monitor/health", timeout=10).json()
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all(health[part]["status"] == "healthy" for part in parts)

    def _unpause(self, dag_id: str) -> bool:
        url = f"{self.url}/api/v2/dags/{dag_id}"
        unpaused = {"is_paused": False}
        return requests.patch(url, json=unpaused, headers=self._auth(), timeout=30).ok


def _wait(ready: Callable[[], bool], processes: Processes, what: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        processes.check()
        try:
            if ready():
                return
        except (requests.RequestException, KeyError, ValueError):
            pass  # it is not up yet
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {START_TIMEOUT_S:.0f} s for {what} in vain")
        time.sleep(0.3)
