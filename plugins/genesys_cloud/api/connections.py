"""Connections that tell whether a request may have left.

A send is not idempotent, so the one thing to know about a failure is whether a byte of the request
was written. urllib3 reports a failed handshake and an error in mid-answer alike; here whatever
goes wrong while connecting is a NewConnectionError, and nothing else ever is.
"""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
)
from urllib3.response import HTTPResponse

LONGEST_IDLE_S = 4.0
"""A connection that was idle for longer is not used again.

Servers close idle connections, some after 5 s; a request that crosses that close ends in a reset,
and then nobody knows whether the message went out.
"""


class PlainConnection(HTTPConnection):
    """A connection whose failures to connect are all NewConnectionError or ConnectTimeoutError."""

    _answered_at = float("-inf")

    def connect(self) -> None:
        """Connect, TLS handshake and proxy tunnel included."""
        try:
            super().connect()
        except (ConnectTimeoutError, NewConnectionError):
            raise
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            raise NewConnectionError(self, f"{type(error).__name__}: {error}") from error
        self._answered_at = time.monotonic()

    @property
    def is_connected(self) -> bool:
        """Whether the pool may hand out this connection as it is."""
        rested = time.monotonic() - self._answered_at
        return rested <= LONGEST_IDLE_S and super().is_connected

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3's own class does
        """Return the answer, and note when it came."""
        response = super().getresponse()
        self._answered_at = time.monotonic()
        return response


class SecureConnection(PlainConnection, HTTPSConnection):
    """The same over TLS."""


class PlainPool(HTTPConnectionPool):
    """A pool of such connections."""

    ConnectionCls = PlainConnection


class SecurePool(HTTPSConnectionPool):
    """A pool of such connections over TLS."""

    ConnectionCls = SecureConnection


class Adapter(HTTPAdapter):
    """An adapter without retries, whose pools hold such connections."""

    def __init__(self, pool_size: int) -> None:
        # Retries stay off: this adapter can't tell a read from a send.
        super().__init__(pool_connections=2, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: Any
    ) -> None:
        """Make the pool manager."""
        super().init_poolmanager(connections, maxsize, block, **options)
        self._equip(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """Make the manager of a proxy from the environment."""
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        if proxy.lower().startswith("http"):  # SOCKS brings connections of its own
            self._equip(manager)
        return manager

    @staticmethod
    def _equip(manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def connect_failure(error: Exception) -> Exception | None:
    """Return what went wrong while connecting, None when bytes of the request may have left."""
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    return reason if isinstance(reason, ConnectTimeoutError) else None
