"""Warnings that Airflow itself causes, for the tests that run it; no other may pass."""

from __future__ import annotations

import pytest

AIRFLOWS_OWN = (
    # Airflow's search for DAG and plugin files uses pathspec's former name of the syntax.
    "ignore:GitWildMatchPattern:DeprecationWarning",
    # A form offers the templates that exist, so that a test with its own makes a new version of a
    # DAG; Airflow takes any of the versions where it looks for a run's.
    "ignore:Multiple rows returned with uselist=False for lazily-loaded attribute "
    "'DagRun.serialized_dag'",
    # Airflow's in-process execution API, which `dag.test()` talks to, imports Starlette's client.
    "ignore:Using `httpx` with `starlette.testclient` is deprecated",
)


def tolerate_airflows_own(items: list[pytest.Item], folder: str) -> None:
    """Let the tests below a folder run although Airflow warns."""
    for item in items:
        if folder in str(item.path):
            for rule in AIRFLOWS_OWN:
                item.add_marker(pytest.mark.filterwarnings(rule))
