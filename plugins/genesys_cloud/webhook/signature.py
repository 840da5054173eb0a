"""Who sent it: HMAC-SHA256 over the raw body, as `X-Hub-Signature-256: sha256=…` carries it.

Genesys gives the digest in base64 (facts: Open Messaging webhook); hex is accepted too. Senders
that follow Standard Webhooks sign more than the body: see standard_webhooks.py.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping

from genesys_cloud.webhook import standard_webhooks

HEADER = "X-Hub-Signature-256"

_PREFIX = "sha256="
_FIELD = HEADER.lower().encode()


def sign(body: bytes, secret: str) -> str:
    """Return the header's value for a body."""
    return _PREFIX + base64.b64encode(_digest(body, secret)).decode()


def verify(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Return whether one of the secrets made this signature; takes the same time for each."""
    given = _parse(header)
    # Every secret is tried, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(given, _digest(body, secret)) for secret in secrets]
    return bool(given) and any(fits)


def is_given(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a request carries a signature, good or bad."""
    return _FIELD in headers or standard_webhooks.SIGNATURE in headers


def genuine(
    headers: Mapping[bytes, bytes],
    body: bytes,
    secrets: Iterable[str],
    *,
    now: float,
    tolerance_s: float,
) -> bool:
    """Return whether these headers prove that a holder of a secret sent the body.

    Where a Standard Webhooks signature is given it alone decides; otherwise who replays a request
    could leave it out, and its time with it. `now` is in seconds since the epoch.
    """
    if standard_webhooks.SIGNATURE in headers:
        return standard_webhooks.verify(headers, body, secrets, now=now, tolerance_s=tolerance_s)
    return verify(body, headers.get(_FIELD, b"").decode("latin-1"), secrets)


def _digest(body: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), body, "sha256")


def _parse(header: str | None) -> bytes:
    """Return the digest that the header names, empty where it names none."""
    if not header or not header.startswith(_PREFIX):
        return b""
    word = header.removeprefix(_PREFIX).strip()
    try:
        return bytes.fromhex(word) if len(word) == 64 else base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        return b""
