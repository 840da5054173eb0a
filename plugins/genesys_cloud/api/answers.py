"""What an answer means: for a read, and for a send, which is not the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from genesys_cloud.api.failures import Call, Refusal, refusal, unclear
from genesys_cloud.api.retry import pause, retry_after
from genesys_cloud.api.transport import Answer
from genesys_cloud.errors import NotSentError, ServiceFailedError
from genesys_cloud.outbound.messages import Receipt


def _unexplained(status: int, body: object) -> None:
    """Say nothing of a refusal."""


def content(call: Call, answer: Answer, now: float) -> object:
    """Return the JSON of a read or of a change that may be repeated; `now` is in epoch seconds.

    Raises the ApiError for any other answer; ServiceFailedError where a 2xx holds no JSON.
    """
    if not answer.ok:
        raise refusal(call, answer, retry_after=retry_after(answer, now))
    found = answer.json()
    if found is None:
        raise ServiceFailedError(
            f"The answer for {call.what} ({call.endpoint}) is no JSON, or too large. Check that "
            f"{call.place} in connection {call.connection!r} is Genesys Cloud and that no proxy "
            "answers in its place.",
            status=answer.status,
        )
    return found


def receipt(
    call: Call,
    answer: Answer,
    now: float,
    parse: Callable[[object], Receipt | None],
    *,
    explain: Callable[[int, object], Refusal | None] = _unexplained,
) -> Receipt:
    """Return the receipt of a message that was accepted; `now` is in epoch seconds.

    `parse` reads it from the answer's JSON, and returns None where it holds none; `explain` says
    what is known of a refusal with that status and JSON.

    Raises OutcomeUnknownError wherever the answer leaves room for the message to have gone out:
    5xx, 408, a 2xx without a usable id, anything below 200. Every other answer is a clear no, and
    raises its ApiError, or NotSentError where a proxy gave it.
    """
    if answer.ok:
        found = parse(answer.json())
        if found is None:
            raise unclear(call, answer, "it holds no message id")
        return replace(found, pause_s=pause(answer))
    if answer.status < 200 or answer.status == 408 or answer.status >= 500:
        raise unclear(call, answer, "the service failed")
    if answer.status == 407:
        raise NotSentError(
            f"The proxy on the way to {call.endpoint} wants a login for {call.what}: put it into "
            "HTTPS_PROXY. Nothing reached Genesys Cloud."
        )
    known = explain(answer.status, answer.json())
    raise refusal(call, answer, retry_after=retry_after(answer, now), known=known)
