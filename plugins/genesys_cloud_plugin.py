"""What Airflow's plugin scanner may see of this project: receiver, live view and pool, all lazy."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from genesys_cloud.workflows import pool


class GenesysCloudPlugin(AirflowPlugin):
    """Mounts the webhook receiver and the live view, and keeps the send pool in being."""

    name = "genesys_cloud"
    listeners = [pool]  # noqa: RUF012 - the attribute is Airflow's
    external_views = [  # noqa: RUF012 - the attribute is Airflow's
        {
            "name": "Campaigns",
            "href": "/genesys/",
            "destination": "nav",
            "url_route": "genesys-campaigns",
        },
        {
            "name": "Preview",
            "href": "/genesys/preview?dag_id={DAG_ID}&run_id={RUN_ID}",
            "destination": "dag_run",
            "url_route": "genesys-preview",
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The receiver and the live view; only the API server asks, and pays for the import."""
        from genesys_cloud.workflows.live_view import mounted_live_view
        from genesys_cloud.workflows.receiver import mounted_receiver
        from genesys_cloud.workflows.stored_connections import store_port_zero

        store_port_zero()  # here too, because connections are made in the API server
        events, live = mounted_receiver(), mounted_live_view()
        return [
            {"app": events, "url_prefix": "/webhooks", "name": "Genesys Cloud message events"},
            {"app": live, "url_prefix": "/genesys", "name": "Genesys Cloud campaigns"},
        ]
