"""How a fault is carried out on a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from genesys_cloud.simulator.exchange import (
    DISCONNECT,
    Answer,
    ApiError,
    Headers,
    error_answer,
    json_answer,
)
from genesys_cloud.simulator.faults import FaultRule
from genesys_cloud.simulator.oauth import oauth_error

CODES = {
    400: "bad.request",
    401: "bad.credentials",
    403: "missing.permissions",
    404: "not.found",
    429: "too.many.requests.retry.after",
    503: "service.unavailable",
    504: "request.timeout",
}
PAGE = "<!doctype html><title>Maintenance</title><h1>Back soon</h1>"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The request that a fault gets hold of: what would do it, and its token's end."""

    succeed: Callable[[], Answer]
    revoke: Callable[[], None]
    success_status: int
    correlation_id: str


async def carry_out(rule: FaultRule, attempt: Attempt) -> Answer:
    """Return what the client sees; raises ApiError when the request was not valid anyway."""
    accepts = rule.after_accept or rule.fault == "drop_after"
    accepted = attempt.succeed() if accepts else None
    await asyncio.sleep(rule.delay_s)
    if rule.fault == "hang":
        return accepted or attempt.succeed()
    if rule.fault in ("drop_before", "drop_after"):
        return DISCONNECT
    if rule.fault == "revoke_token":
        attempt.revoke()
        raise ApiError(401, "bad.credentials", "The access token was revoked.")
    if rule.fault == "token_limit":
        return oauth_error(400, "invalid_request", "rate limit exceeded; try again later")
    return _spoilt(rule, attempt)


def _spoilt(rule: FaultRule, attempt: Attempt) -> Answer:
    headers = tuple((key.lower().encode(), value.encode()) for key, value in rule.headers.items())
    if rule.fault == "status":
        return _with_status(rule, headers, attempt.correlation_id)
    answer = Answer(rule.status or attempt.success_status, b'{"id": "msg_', headers)
    if rule.fault == "html":
        page = str(rule.body or PAGE).encode()
        return replace(answer, body=page, media_type=b"text/html; charset=utf-8")
    if rule.fault == "empty":
        return replace(answer, body=b"")
    return replace(answer, breaks_off=rule.fault == "truncate")


def _with_status(rule: FaultRule, headers: Headers, correlation_id: str) -> Answer:
    status = rule.status or 503
    if rule.body is not None:
        return json_answer(status, rule.body, headers)
    code = CODES.get(status, "internal.server.error")
    error = ApiError(status, code, "A fault on order.", headers=headers)
    return error_answer(error, correlation_id)
