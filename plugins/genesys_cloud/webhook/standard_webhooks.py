"""Signatures as Standard Webhooks has them (standardwebhooks.com, symmetric form `v1`).

`webhook-signature` holds one or more `v1,<base64>`, separated by spaces, each HMAC-SHA256 over
`webhook-id.webhook-timestamp.body`. A secret may be `whsec_` and the key in base64.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import math
from collections.abc import Iterable, Mapping

ID = b"webhook-id"
TIMESTAMP = b"webhook-timestamp"
SIGNATURE = b"webhook-signature"

_VERSION = b"v1,"
_SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix is no secret


def sign(body: bytes, secret: str, *, message_id: str, timestamp: int) -> dict[str, str]:
    """Return the three headers for a body; `timestamp` is in seconds since the epoch."""
    digest = hmac.digest(_key(secret), f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return {
        ID.decode(): message_id,
        TIMESTAMP.decode(): str(timestamp),
        SIGNATURE.decode(): (_VERSION + base64.b64encode(digest)).decode(),
    }


def verify(
    headers: Mapping[bytes, bytes],
    body: bytes,
    secrets: Iterable[str],
    *,
    now: float,
    tolerance_s: float,
) -> bool:
    """Return whether a signature fits, and its time is within the tolerance, 0 for any time."""
    message_id, stamp = headers.get(ID, b""), headers.get(TIMESTAMP, b"")
    if not message_id or not _timely(stamp, now, tolerance_s):
        return False
    signed = b".".join((message_id, stamp, body))
    given = [
        word.removeprefix(_VERSION)
        for word in headers.get(SIGNATURE, b"").split()
        if word.startswith(_VERSION)
    ]
    made = [base64.b64encode(hmac.digest(_key(secret), signed, "sha256")) for secret in secrets]
    # Every pair is compared, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(one, other) for one in given for other in made]
    return any(fits)


def _timely(stamp: bytes, now: float, tolerance_s: float) -> bool:
    if not stamp.isdigit() or len(stamp) > 15:
        return False
    return abs(now - int(stamp)) <= (tolerance_s or math.inf)


def _key(secret: str) -> bytes:
    if secret.startswith(_SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass  # not a key in base64 then, but a secret that somebody began so
    return secret.encode()
