"""A key in a header, for senders that can't sign: EventBridge API destinations and data actions.

It says who sent a request and nothing about the body, so it needs TLS all the way. A request that
carries a signature is judged by that alone.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256

HEADER = "x-api-key"

SHORTEST_KEY = 16
"""Characters; a shorter one could be found by trying."""

_FIELD = HEADER.encode()


def genuine(headers: Mapping[bytes, bytes], keys: Iterable[str]) -> bool:
    """Return whether the headers hold one of the keys; takes the same time for each."""
    # Digests, so that neither does the time tell how long a key is.
    given = sha256(headers.get(_FIELD, b"")).digest()
    fits = [hmac.compare_digest(given, sha256(key.encode()).digest()) for key in keys]
    return any(fits)
