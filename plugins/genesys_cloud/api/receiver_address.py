"""The receiver's public address: whether it is one, and what answers there.

A person types the address, so it is asked with care: http and https only, no redirect followed, no
credentials sent, and nothing read of the answer but its status.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from genesys_cloud.errors import ConnectionSettingsError, ReceiverSilentError

LONGEST_URL = 2000


@dataclass(frozen=True, kw_only=True)
class ReceiverAddress:
    """A URL that Genesys could call; raises ConnectionSettingsError for any other text."""

    url: str = field(repr=False)

    def __post_init__(self) -> None:
        if (why := _flaw(self.url)) is not None:
            raise ConnectionSettingsError(
                f"The receiver's address {why}. Set webhook_url or GENESYS_WEBHOOK_URL to the "
                "receiver's public address, such as "
                "https://hooks.example.org/webhooks/genesys-messaging."
            )

    @property
    def shown(self) -> str:
        """The address for logs and the audit trail, without a query: it may hold a secret."""
        return self.url.partition("?")[0]

    @property
    def in_clear(self) -> bool:
        """Whether events travel unencrypted, over more than this machine."""
        parts = urlsplit(self.url)
        return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


class AddressCaller:
    """Posts to a receiver's address; `timeout_s` bounds connecting and each wait."""

    def __init__(self, address: ReceiverAddress, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.auth = _NoAuth()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Post a body, and return the HTTP status; raises ReceiverSilentError where none comes."""
        try:
            with self._session.post(
                self._address.url,
                data=body,
                headers=headers,
                timeout=(self._timeout_s, self._timeout_s),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code
        except (requests.RequestException, HTTPError, OSError) as error:
            raise ReceiverSilentError(
                f"{self._address.shown} does not answer: {self._cause(error)}"
            ) from error

    def _cause(self, error: Exception) -> str:
        chain = list(_chain(error))
        for kinds, sentence in _CAUSES:
            if any(isinstance(each, kinds) for each in chain):
                return sentence.format(timeout_s=self._timeout_s)
        return "the connection broke before an answer came. Look into the receiver's log."


_CAUSES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (socket.gaierror, "its name does not resolve. Check its spelling, and DNS."),
    (ConnectionRefusedError, "it refuses the connection. Start the receiver, or correct the port."),
    (
        (ssl.SSLError, requests.exceptions.SSLError),
        "the TLS handshake failed. Check its certificate: Genesys would refuse it as well.",
    ),
    (
        (requests.exceptions.Timeout, TimeoutError),
        "nothing came within {timeout_s:g} s. Check host, firewall and proxy, and the receiver.",
    ),
)


class _NoAuth(AuthBase):
    """Keeps the machine's netrc out of requests to an address that somebody typed."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _flaw(url: str) -> str | None:
    """Return what is wrong with an address, None where nothing is."""
    if len(url) > LONGEST_URL or not (url.isascii() and url.isprintable()) or " " in url:
        return f"is not 1 to {LONGEST_URL} characters of a URL"
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"{url.partition('?')[0]!r} is no http(s) URL that Genesys Cloud could call"
    if parts.username is not None or parts.password is not None:
        # Not the address itself: a password is in it.
        return "holds a user name or password, which everybody who may list webhooks would see"
    return "ends in a #fragment, which is never sent" if parts.fragment else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps, whichever way."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
