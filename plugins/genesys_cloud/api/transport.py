"""One HTTP exchange: a request out, a bounded answer in, or an error that says if bytes left."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from genesys_cloud.api.connections import Adapter, connect_failure
from genesys_cloud.api.failures import Call, no_answer, not_sent
from genesys_cloud.errors import ConnectionSettingsError

POOL_SIZE = 32
"""Connections kept open to a host; more threads than that still work, with connections to spare."""

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes, after decompression; a page of 100 messages is about 50 kB."""

_CHUNK = 64 * 1024
_HEADERS = {
    "User-Agent": "genesys-cloud-campaigns",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `whole` is False where the body was cut off or too large."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool = True

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    def json(self) -> object:
        """Return the body's JSON, None where it is none."""
        try:
            return json.loads(self.body) if self.whole else None
        except (ValueError, RecursionError):
            return None


class Transport:
    """Exchanges over pooled connections, safe to use from many threads.

    `timeout_s` bounds connecting, each wait for the answer, and then the whole body.
    """

    def __init__(self, timeout_s: float, session: requests.Session | None = None) -> None:
        self._timeout_s = timeout_s
        self._session = session or _new_session()
        self._owns_session = session is None
        self._environments: dict[str, dict[str, Any]] = {}

    def exchange(
        self, call: Call, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send a request and return its answer, whatever its status; redirects are not followed.

        Raises NotSentError where the connection failed before a byte of the request left, and
        OutcomeUnknownError where it may have left and no whole answer came.
        """
        request = requests.Request(
            call.method, call.url, headers={**_HEADERS, **headers}, data=body
        ).prepare()
        environment = self._environment(call.url)
        timeouts = (self._timeout_s, self._timeout_s)
        try:
            # The adapter and not the session: no netrc, no cookies, no redirects.
            response = self._adapter(call.url).send(
                request, stream=True, timeout=timeouts, **environment
            )
        except (requests.RequestException, HTTPError, OSError) as error:
            if (reason := connect_failure(error)) is not None:
                raise not_sent(call, reason) from error
            raise no_answer(call, error) from error
        with response:
            return self._answer(call, response)

    def close(self) -> None:
        """Close every connection, unless the session was handed in."""
        if self._owns_session:
            self._session.close()

    def _answer(self, call: Call, response: requests.Response) -> Answer:
        body, whole = b"", False
        try:
            body, whole = _read(response.raw, time.monotonic() + self._timeout_s)
        except (HTTPError, OSError) as error:
            # From 300 on the status alone says that the request was not accepted, or that nobody
            # knows; the reason is lost with the body.
            if response.status_code < 300:
                raise no_answer(call, error) from error
        return Answer(response.status_code, response.headers, body, whole)

    def _adapter(self, url: str) -> HTTPAdapter:
        adapter = self._session.get_adapter(url)
        if not isinstance(adapter, HTTPAdapter):
            raise TypeError(f"the session has no HTTP adapter for {url}")
        return adapter

    def _environment(self, url: str) -> dict[str, Any]:
        """Return proxies and certificates that the environment names, read once for a host."""
        origin = "/".join(url.split("/", 3)[:3])
        found = self._environments.get(origin)
        if found is None:
            merged = self._session.merge_environment_settings(url, {}, None, None, None)
            found = {key: merged[key] for key in ("proxies", "verify", "cert")}
            _check_certificates(found["verify"])
            self._environments[origin] = found
        return found


def _new_session() -> requests.Session:
    session = requests.Session()
    adapter = Adapter(POOL_SIZE)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _check_certificates(verify: object) -> None:
    if isinstance(verify, str) and not Path(verify).exists():
        raise ConnectionSettingsError(
            f"The certificates at {verify} are not there. Set REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE "
            "to a file that exists, or unset it."
        )


def _read(raw: BaseHTTPResponse, deadline: float) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    size = 0
    while part := raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        # A server that drips a byte now and then never meets the read timeout.
        if size > LARGEST_ANSWER or time.monotonic() > deadline:
            return b"", False
    return b"".join(parts), True
