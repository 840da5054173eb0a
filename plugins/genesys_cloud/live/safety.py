"""What keeps another site from acting in a visitor's name, and pages from being kept or framed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from fastapi import HTTPException, Request
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_HEADER = "X-Genesys-Token"  # noqa: S105 - the header's name
"""A header that no form of another site can send."""

LIFETIME = timedelta(hours=1)
"""For how long a page may be open before its buttons are refused."""

MOST_BODY = 64 * 1024
"""Bytes of a post; the longest form of ours has some hundred."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Refused(HTTPException):
    """A request that is answered with a sentence of ours and changes nothing."""


class ShortBodies:
    """Refuses to read a body that is longer than any form of ours, whoever sends it.

    FastAPI reads a body before it asks who sends it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        left = MOST_BODY

        async def read() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise Refused(413, "That is more than a form of ours holds; nothing was done.")
            return message

        await self._app(scope, read, send)


class Tokens:
    """Gives and checks what the pages send with each post: whose it is, and until when.

    `secret` is asked for at the first use, for it may be Airflow's own.
    """

    def __init__(self, secret: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._clock = clock

    def give(self, name: str) -> str:
        """Return a token for a visitor's page."""
        until = int((self._clock() + LIFETIME).timestamp())
        return self._signer().dumps([name, until])

    def check(self, token: str, name: str) -> None:
        """Raise Refused unless the token was given to this visitor, not long ago."""
        try:
            owner, until = self._signer().loads(token)
        except (BadSignature, ValueError, TypeError):
            raise Refused(403, "This did not come from a page of ours; nothing was done.") from None
        if owner != name:
            raise Refused(403, "Somebody else opened this page. Reload it; nothing was done.")
        if self._clock().timestamp() > until:
            raise Refused(403, "This page has been open for long. Reload it; nothing was done.")

    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret(), salt="genesys-cloud-live-view")


def check_same_origin(request: Request) -> None:
    """Raise Refused unless a browser says that a page of this very server posts.

    Browsers leave Sec-Fetch-Site out where the connection is not secure; Origin they send with
    every post. The host alone is compared, for a proxy may have ended TLS.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        same = site == "same-origin"
    else:
        _, _, origin = request.headers.get("origin", "").partition("://")
        same = bool(origin) and origin == request.headers.get("host")
    if not same:
        raise Refused(403, "Another site posted this in your name; nothing was done.")
