"""Who sent it: HMAC-SHA256 over the raw body, as `X-Hub-Signature-256: sha256=…` carries it.

Genesys gives the digest in base64 (facts: Open Messaging webhook); hex is accepted too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

HEADER = "X-Hub-Signature-256"

_PREFIX = "sha256="


def sign(body: bytes, secret: str) -> str:
    """Return the header's value for a body."""
    return _PREFIX + base64.b64encode(_digest(body, secret)).decode()


def verify(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Return whether one of the secrets made this signature; takes the same time for each."""
    given = _parse(header)
    # Every secret is tried, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(given, _digest(body, secret)) for secret in secrets]
    return bool(given) and any(fits)


def _digest(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def _parse(header: str | None) -> bytes:
    """Return the digest that the header names, empty where it names none."""
    if not header or not header.startswith(_PREFIX):
        return b""
    word = header.removeprefix(_PREFIX).strip()
    try:
        return bytes.fromhex(word) if len(word) == 64 else base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        return b""
