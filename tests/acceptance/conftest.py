"""What an acceptance test that runs DAGs shares with the tests of DAGs."""

from __future__ import annotations

import pytest

from tests.airflow_warnings import tolerate_airflows_own
from tests.dags.conftest import connection, metadata_database, place, runs

__all__ = ["connection", "metadata_database", "place", "runs"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Filter what Airflow itself warns of."""
    tolerate_airflows_own(items, "/tests/acceptance/")
