"""The limits of an organisation, as the platform's public API lists them."""

from __future__ import annotations

import re
from urllib.parse import quote

from genesys_cloud.api.profiles.fields import mapping

NAMESPACE = "platform.api"
"""The limits of the API itself."""

TOKEN_LIMITS = ("client.credentials.token.rate.per.minute", "token.rate.per.minute")
"""The limits that our kind of token is under; the smaller one counts."""


_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")


def limits_path(namespace: str) -> str:
    """Return the path of one namespace's limits; reading them needs no permission."""
    return f"/api/v2/organizations/limits/namespaces/{quote(namespace, safe='')}"


def parse_limits(body: object) -> dict[str, int]:
    """Return those of a list of limits that a token is under, by key; numbers alone count."""
    found: dict[str, int] = {}
    listed = mapping(body).get("entities")
    for limit in map(mapping, listed if isinstance(listed, list) else []):
        key, value = limit.get("key"), limit.get("value")
        number = whole(value)
        if key in TOKEN_LIMITS and number is not None:
            found[key] = min(number, found.get(key, number))
    return found


def whole(value: object) -> int | None:
    """Return a whole number that may be written as text or with a point, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None
