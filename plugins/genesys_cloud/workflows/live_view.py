"""The live view as Airflow's API server mounts it: Airflow says who asks, and what they may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import FastAPI

from genesys_cloud.hooks.genesys_cloud import ledger_url
from genesys_cloud.ledger.database import Ledger, open_ledger
from genesys_cloud.live.app import create_app

PATIENCE_S = 5
"""How long a page waits for the ledger."""


@dataclass(frozen=True, kw_only=True)
class AirflowVisitor:
    """A user of Airflow, with the rights that its auth manager gives."""

    user: Any

    @property
    def name(self) -> str:
        """The user's name."""
        return str(self.user.get_name())

    def readable(self, dag_ids: frozenset[str]) -> frozenset[str]:
        """Return those of the DAGs that the user may see."""
        manager = get_auth_manager()
        seen: set[str] = set()
        for team, ids in _by_team(dag_ids):
            seen |= manager.filter_authorized_dag_ids(
                dag_ids=ids, user=self.user, method="GET", team_name=team
            )
        return frozenset(seen)

    def runnable(self, dag_ids: frozenset[str]) -> frozenset[str]:
        """Return those of the DAGs of which the user may start runs."""
        manager = get_auth_manager()
        return frozenset(
            dag_id
            for team, ids in _by_team(dag_ids)
            for dag_id in ids
            if manager.is_authorized_dag(
                method="POST",
                access_entity=DagAccessEntity.RUN,
                details=DagDetails(id=dag_id, team_name=team),
                user=self.user,
            )
        )


def mounted_live_view() -> FastAPI:
    """Return the live view; the ledger and Airflow's secret are asked for at its first request."""
    return create_app(visitor=_visitor, open_ledger=_open, secret=_secret)


def _visitor(user: GetUserDep) -> AirflowVisitor:
    return AirflowVisitor(user=user)


def _open() -> Ledger:
    return open_ledger(ledger_url(), patience_s=PATIENCE_S)


def _secret() -> str:
    return str(conf.get_mandatory_value("api", "secret_key"))


def _by_team(dag_ids: Iterable[str]) -> Iterable[tuple[str | None, set[str]]]:
    """Yield the DAGs of each team; none has one, unless Airflow runs for many teams."""
    ids = list(dag_ids)
    teams = DagModel.get_dag_id_to_team_name_mapping(ids) if ids else {}
    grouped: defaultdict[str | None, set[str]] = defaultdict(set)
    for dag_id in ids:
        grouped[teams.get(dag_id)].add(dag_id)
    yield from grouped.items()
