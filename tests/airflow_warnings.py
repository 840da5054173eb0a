"""Warnings that Airflow itself causes, for the tests that run it; no other may pass."""

from __future__ import annotations

import pytest

AIRFLOWS_OWN = (
    # Airflow's search for DAG and plugin files uses pathspec's former name of the syntax.
    "ignore:GitWildMatchPattern:DeprecationWarning",
    # Airflow's in-process execution API, which `dag.test()` talks to, imports Starlette's client.
    "ignore:Using `httpx` with `starlette.testclient` is deprecated",
)


def tolerate_airflows_own(items: list[pytest.Item], folder: str) -> None:
    """Let the tests below a folder run although Airflow warns."""
    for item in items:
        if folder in str(item.path):
            for rule in AIRFLOWS_OWN:
                item.add_marker(pytest.mark.filterwarnings(rule))
