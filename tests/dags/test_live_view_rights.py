"""The live view in Airflow's hands: mounted lazily, behind its login, with its users' rights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from tests.dags.test_plugin import mounted  # noqa: F401 - a fixture

OURS = frozenset({"send_campaign", "appointment_reminder"})


@pytest.fixture
def manager(metadata_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Airflow's auth manager, as an API server has it; one user is allowed one DAG."""
    from airflow.api_fastapi import app

    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "tests.ui.dag_rights.DagRights")
    app.purge_cached_app()
    app.create_auth_manager()
    yield
    app.purge_cached_app()


def rights(name: str, role: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return which of our DAGs a user may see, and which run."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    from genesys_cloud.workflows.live_view import AirflowVisitor

    visitor = AirflowVisitor(user=SimpleAuthManagerUser(username=name, role=role, teams=None))
    assert visitor.name == name
    assert visitor.readable(frozenset()) == visitor.runnable(frozenset()) == frozenset()
    return visitor.readable(OURS), visitor.runnable(OURS)


@pytest.mark.usefixtures("manager")
def test_a_user_sees_and_runs_what_airflow_lets_them() -> None:
    assert rights("admin", "ADMIN") == (OURS, OURS)
    assert rights("ops", "USER") == (OURS, OURS)
    assert rights("viewer", "VIEWER") == (OURS, frozenset())
    one = frozenset({"appointment_reminder"})
    assert rights("narrow", "USER") == (one, one)


@pytest.mark.usefixtures("manager")
def test_airflow_shows_no_page_without_its_login(mounted: FastAPI) -> None:  # noqa: F811
    from starlette.testclient import TestClient

    client = TestClient(mounted)
    for headers in ({}, {"Authorization": "Bearer guessed"}, {"Cookie": "_token=guessed"}):
        for path in ("/", "/campaigns/spring", "/messages", "/preview"):
            answer = client.get(f"/genesys{path}", headers=headers)
            assert answer.status_code in {401, 403}
            assert "Log in" in answer.text


def test_airflow_offers_the_pages_in_its_navigation_and_at_a_run() -> None:
    from airflow import plugins_manager

    plugins, _ = plugins_manager._get_plugins()
    (plugin,) = (plugin for plugin in plugins if plugin.name == "genesys_cloud")
    views: list[dict[str, Any]] = plugin.external_views
    assert {view["destination"]: view["url_route"] for view in views} == {
        "nav": "genesys-campaigns",
        "dag_run": "genesys-preview",
    }


def test_a_process_that_serves_no_pages_imports_none() -> None:
    code = (
        "import sys, genesys_cloud_plugin as shim; shim.GenesysCloudPlugin();"
        "print([name for name in sys.modules if name.startswith('genesys_cloud.live')])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
