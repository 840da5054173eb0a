"""An auth manager with rights by DAG, for tests: `narrow` sees and runs one campaign's DAG."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

NARROW = "narrow"
ITS_DAG = "appointment_reminder"


class DagRights(SimpleAuthManager):
    """Airflow's simple users and roles, and one user who is allowed one DAG."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **asked: Any) -> bool:
        """Return what the role allows, and less for that user."""
        if user.username == NARROW and details is not None and details.id != ITS_DAG:
            return False
        return super().is_authorized_dag(user=user, details=details, **asked)
