"""One HTTP exchange: a request out, a bounded answer in, or an error that says if bytes left."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from urllib3 import BaseHTTPResponse, Retry, Timeout
from urllib3.exceptions import HTTPError

from genesys_cloud.api.connections import Adapter, Route, connect_failure, environment_of
from genesys_cloud.api.failures import Call, no_answer, not_sent
from genesys_cloud.errors import ConnectionSettingsError

POOL_SIZE = 32
"""Connections kept open to a host; more threads than that still work, with connections to spare."""

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes, after decompression; a page of 100 messages is about 50 kB."""

_CHUNK = 64 * 1024
_NEVER_AGAIN = Retry(0, read=False)
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

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._timeout = Timeout(connect=timeout_s, read=timeout_s)
        self._adapter = Adapter(POOL_SIZE)
        self._routes: dict[str, Route] = {}

    def exchange(
        self, call: Call, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send a request and return its answer, whatever its status; redirects are not followed.

        Raises NotSentError where the connection failed before a byte of the request left, and
        OutcomeUnknownError where it may have left and no whole answer came.
        """
        route = self._route(call.url)
        try:
            # The pool and not a session: no netrc, no cookies, no redirects, half of the time.
            response = route.pool.urlopen(
                call.method,
                route.target(call.url),
                body=body,
                headers={**_HEADERS, **headers},
                retries=_NEVER_AGAIN,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                timeout=self._timeout,
            )
        except (HTTPError, OSError) as error:
            if (reason := connect_failure(error)) is not None:
                raise not_sent(call, reason) from error
            raise no_answer(call, error) from error
        try:
            return self._answer(call, response)
        finally:
            response.close()  # gives the connection back where the body was read to its end

    def close(self) -> None:
        """Close every connection."""
        self._adapter.close()

    def _answer(self, call: Call, response: BaseHTTPResponse) -> Answer:
        body, whole = b"", False
        try:
            body, whole = _read(response, time.monotonic() + self._timeout_s)
        except (HTTPError, OSError) as error:
            # From 300 on the status alone says that the request was not accepted, or that nobody
            # knows; the reason is lost with the body.
            if response.status < 300:
                raise no_answer(call, error) from error
        return Answer(response.status, response.headers, body, whole)

    def _route(self, url: str) -> Route:
        """Return the way to a URL's host; the environment is read once for a host."""
        origin = "/".join(url.split("/", 3)[:3])
        route = self._routes.get(origin)
        if route is None:
            environment = environment_of(url)
            _check_certificates(environment["verify"])
            route = self._routes[origin] = self._adapter.route(url, environment)
        return route


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
