"""What a request's headers say before its body is read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from genesys_cloud.webhook.answers import RefusedError

MOST_BYTES = 256 * 1024
"""The largest body that is read."""


def check(headers: Mapping[bytes, bytes]) -> None:
    """Raise RefusedError for a body that is too large, or does not claim to be JSON in UTF-8.

    A sender that names no type is believed: the signature says who it is, and the parser what it
    sent. A compressed body is not read, for nobody knows its size.
    """
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or len(declared) > 9 or int(declared) > MOST_BYTES:
        raise too_large()
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding.lower() != b"identity" or not _is_json(headers.get(b"content-type", b"")):
        raise RefusedError(415, "The body is to be JSON in UTF-8, and not compressed.")


def too_large() -> RefusedError:
    """Return what is said of a body that is not read to its end."""
    return RefusedError(413, f"The body is larger than {MOST_BYTES} bytes.")


@lru_cache(maxsize=64)
def _is_json(value: bytes) -> bool:
    kind, *parameters = (part.strip().lower() for part in value.split(b";"))
    names = (parameter.partition(b"=") for parameter in parameters)
    charsets = {word.strip(b' "') for name, _, word in names if name.strip() == b"charset"}
    if not charsets <= {b"utf-8", b"utf8"}:
        return False
    is_suffixed = kind.startswith(b"application/") and kind.endswith(b"+json")
    return kind in {b"", b"application/json"} or is_suffixed
