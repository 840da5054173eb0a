"""How many requests a minute an account may make, where nobody has configured a number."""

from __future__ import annotations

from genesys_cloud.api.profiles.limits import parse_limits, whole
from genesys_cloud.api.token_store import RateLimit
from genesys_cloud.api.transport import Answer

USUAL = RateLimit(300, "Genesys Cloud's usual limit of a token; the host names no other")
"""Assumed where neither the organisation's limits nor an answer's headers give a number."""

MOST = 1_000_000
"""No host is believed beyond this."""

_HEADER = "inin-ratelimit-allowed"


def from_organisation(answer: Answer) -> RateLimit | None:
    """Return the smallest limit that an answer of the limits endpoint gives a token."""
    if not answer.ok:
        return None
    found = {key: value for key, value in parse_limits(answer.json()).items() if value >= 1}
    if not found:
        return None
    key = min(found, key=lambda name: (found[name], name))
    return RateLimit(min(found[key], MOST), f"the organisation's limit {key}")


def from_header(answer: Answer) -> RateLimit | None:
    """Return the limit that every answer of the platform carries; its window is a minute."""
    word = answer.headers.get(_HEADER, "")
    number = whole(word) or 0
    return RateLimit(min(number, MOST), f"the header {_HEADER} of an answer") if number else None
