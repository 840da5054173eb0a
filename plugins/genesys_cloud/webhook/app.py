"""The receiver in the form in which Airflow's API server mounts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from genesys_cloud.outbound.stats import NO_STATS, Stats
from genesys_cloud.webhook.config import ReceiverConfig
from genesys_cloud.webhook.openapi import document
from genesys_cloud.webhook.receiver import Receiver


class ReceiverApp(FastAPI):
    """The receiver as FastAPI mounts it, with the document that describes it."""

    def __init__(self, configure: Callable[[], ReceiverConfig], stats: Stats) -> None:
        super().__init__(docs_url=None, redoc_url=None, openapi_url=None)
        self.mount("", Receiver(configure, stats))

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document of the receiver."""
        return document()


def create_app(configure: Callable[[], ReceiverConfig], stats: Stats = NO_STATS) -> FastAPI:
    """Return the receiver as an ASGI app; `configure` is called at the first request."""
    return ReceiverApp(configure, stats)
