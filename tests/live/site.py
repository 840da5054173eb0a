"""The live view over a real ledger, asked by made-up people as browsers ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import requests
import uvicorn
from fastapi import FastAPI, HTTPException, Request

from genesys_cloud.ledger import plans
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.ledger.plans import Origin, Plan
from genesys_cloud.live.app import create_app
from genesys_cloud.live.safety import TOKEN_HEADER
from genesys_cloud.outbound.campaign import Campaign
from genesys_cloud.outbound.messages import State
from tests.ledger.planted import NOW, attempted, planned, sealed
from tests.simulator.server import PATIENCE_S

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with the right to see some DAGs, and to run some."""

    name: str
    sees: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()

    def readable(self, dag_ids: frozenset[str]) -> frozenset[str]:
        return dag_ids & self.sees

    def runnable(self, dag_ids: frozenset[str]) -> frozenset[str]:
        return dag_ids & self.runs


ALL = frozenset({"send_campaign", "send_test", "north"})
PEOPLE = {
    person.name: person
    for person in (
        Person(name="ops", sees=ALL, runs=ALL),
        Person(name="viewer", sees=ALL),
        # Sees and runs one DAG, and knows nothing of the other.
        Person(name="north", sees=frozenset({"north"}), runs=frozenset({"north"})),
        Person(name="stranger"),
    )
}


def visitor(request: Request) -> Person:
    """Return who a request says that it comes from, as Airflow does by its cookie."""
    name = request.headers.get("x-person")
    if name not in PEOPLE:
        raise HTTPException(401, "Not authenticated")
    return PEOPLE[name]


@dataclass(kw_only=True)
class Site:
    """The app, served on loopback below a path, as Airflow serves it; `now` is its clock."""

    ledger_url: str
    now: datetime = NOW
    app: FastAPI = field(init=False)
    url: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.app = create_app(
            visitor=visitor,
            open_ledger=lambda: open_ledger(self.ledger_url, patience_s=5),
            secret=lambda: "a-secret-for-tests",
            clock=lambda: self.now,
        )
        airflow = FastAPI(root_path="/airflow")
        airflow.mount("/genesys", self.app)

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            # What fails has been answered. Its traceback in the log, written while another thread
            # writes one, too, ends in a SystemError of Python 3.11, and in a broken connection.
            with suppress(Exception):
                await airflow(scope, receive, send)

        config = uvicorn.Config(answer, host=HOST, port=0, log_config=None, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while not self._server.started:
            assert time.monotonic() < deadline, "the pages are not served"
            time.sleep(0.005)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://{HOST}:{port}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self.app.state.backing.ledger.drop()

    def get(self, path: str, person: str | None = "ops", **headers: str) -> requests.Response:
        """Ask for a page below /genesys."""
        return self._ask("GET", path, person, headers)

    def token(self, person: str = "ops") -> str:
        """Return the token that a person's page holds."""
        token: str = self.app.state.backing.tokens.give(person)
        return token

    def post(
        self,
        path: str,
        data: Mapping[str, str],
        person: str | None = "ops",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Post a form as one of the pages does; an empty header is not sent."""
        given = {
            "HX-Request": "true",
            "Origin": self.url,
            "Sec-Fetch-Site": "same-origin",
            TOKEN_HEADER: self.token(person or "ops"),
        }
        given |= dict(headers or {})
        wanted = {name: value for name, value in given.items() if value}
        return self._ask("POST", path, person, wanted, data)

    def _ask(
        self,
        method: str,
        path: str,
        person: str | None,
        headers: Mapping[str, str],
        data: Mapping[str, str] | None = None,
    ) -> requests.Response:
        sent = dict(headers) | ({"X-Person": person} if person else {})
        return self._session.request(
            method, f"{self.url}/airflow/genesys{path}", headers=sent, data=data, timeout=PATIENCE_S
        )


def run(
    ledger: Ledger,
    campaign: Campaign,
    *,
    dag_id: str | None,
    run_id: str | None,
    states: Sequence[State] = (),
    count: int = 5,
    is_test: bool = False,
    **changes: Any,
) -> Plan:
    """Plan an occurrence, the last recipient blocked, and send as many as `states` says how."""
    # The keys of planted messages name the occurrence and not the campaign.
    occurrence = changes.pop("occurrence", campaign.campaign_id)
    plan = plans.begin(
        ledger, campaign, occurrence=occurrence, sender=changes.pop("sender", campaign.sender),
        template_version="v1", now=NOW, origin=Origin(dag_id=dag_id, run_id=run_id),
        is_test=is_test,
    )  # fmt: skip
    rows = [planned(number, occurrence=occurrence, **changes) for number in range(1, count)]
    last = planned(count, occurrence=occurrence, blocked="consent_not_verified")
    plans.add(ledger, plan, [*rows, last])
    plans.finish(ledger, plan)
    plan = sealed(ledger, plan, campaign=campaign)
    if states:
        refusal = ("rejected_by_genesys", "<b>no</b> such number")
        attempted(ledger, plan, states, named="api-", refusal=refusal)
    return plan
