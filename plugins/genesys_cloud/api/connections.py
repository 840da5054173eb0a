"""Connections that tell whether a request may have left.

A send is not idempotent, so the one thing to know about a failure is whether a byte of the request
was written. urllib3 reports a failed handshake and an error in mid-answer alike; here whatever
goes wrong while connecting is a NewConnectionError, and nothing else ever is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from requests import Request, Session
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

    def route(self, url: str, environment: Mapping[str, Any]) -> Route:
        """Return the way to a URL's host, given what the environment says of it."""
        request = Request("GET", url).prepare()
        verify, cert, proxies = (environment[name] for name in ("verify", "cert", "proxies"))
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        self.cert_verify(pool, url, verify, cert)  # type: ignore[no-untyped-call] # requests' own
        absolute = self.request_url(request, proxies).startswith("http")
        if not isinstance(pool, HTTPConnectionPool):
            raise TypeError(f"no pool of HTTP connections serves {url}")
        return Route(pool=pool, origin="" if absolute else "/".join(url.split("/", 3)[:3]))


@dataclass(frozen=True, kw_only=True)
class Route:
    """A host's pool; `origin` is what its requests leave out of a URL."""

    pool: HTTPConnectionPool
    origin: str

    def target(self, url: str) -> str:
        """Return what the request line says; a proxy of plain HTTP wants the whole URL."""
        return url.removeprefix(self.origin)


def environment_of(url: str) -> dict[str, Any]:
    """Return the proxies and certificates that the environment names for a URL."""
    with Session() as session:
        merged = session.merge_environment_settings(url, {}, None, None, None)
    return {name: merged[name] for name in ("proxies", "verify", "cert")}


def connect_failure(error: Exception) -> Exception | None:
    """Return what went wrong while connecting, None when bytes of the request may have left."""
    reason: Exception | None = error
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    return reason if isinstance(reason, ConnectTimeoutError) else None
