"""What Airflow's plugin scanner may see of this project: the receiver and the pool, both lazy."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from genesys_cloud.workflows import pool


class GenesysCloudPlugin(AirflowPlugin):
    """Mounts the webhook receiver in the API server, and keeps the send pool in being."""

    name = "genesys_cloud"
    listeners = [pool]  # noqa: RUF012 - the attribute is Airflow's

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The receiver; only the API server asks, so only it pays for the import."""
        from genesys_cloud.workflows.receiver import mounted_receiver
        from genesys_cloud.workflows.stored_connections import store_port_zero

        store_port_zero()  # here too, because connections are made in the API server
        app = mounted_receiver()
        return [{"app": app, "url_prefix": "/webhooks", "name": "Genesys Cloud message events"}]
