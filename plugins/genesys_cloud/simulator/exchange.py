"""One HTTP request, its answer, and the error that becomes an answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Headers = tuple[tuple[bytes, bytes], ...]


class ApiError(Exception):
    """The request is answered with an ErrorBody instead of what it asked for."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[dict[str, str]] = (),
        limit: dict[str, Any] | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)
        self.limit = limit
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the handlers see it: headers with lower-case names, the whole body.

    `ids` are the parts of the path that a route has a placeholder for.
    """

    method: str
    path: str
    query_string: bytes
    headers: dict[bytes, bytes]
    body: bytes
    ids: tuple[str, ...] = ()

    @property
    def query(self) -> dict[str, str]:
        """Return the query parameters, the last one of a name."""
        return dict(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True))

    def json(self) -> Any:
        """Return the body as JSON; raises ApiError 400 when it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ApiError(400, "bad.request", "The request body is not JSON.") from None

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object; raises ApiError 400 when it is not one."""
        body = self.json()
        if not isinstance(body, dict):
            raise ApiError(400, "bad.request", "The request body is not a JSON object.")
        return body

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        """Return a whole-number query parameter; raises ApiError 400 outside the bounds."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            message = f"{name} is a whole number between {lowest} and {highest}, not {text!r}."
            raise ApiError(400, "invalid.value", message)
        return int(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; status 0 stands for a connection that is closed without one.

    One that breaks off promises more body than it has, and then the connection is closed.
    """

    status: int
    body: bytes = b""
    headers: Headers = ()
    media_type: bytes = b"application/json"
    breaks_off: bool = False


DISCONNECT = Answer(0)


def json_answer(status: int, content: Any, headers: Headers = ()) -> Answer:
    """Return the content as a JSON answer."""
    return Answer(status, json.dumps(content, separators=(",", ":")).encode(), headers)


def error_answer(error: ApiError, correlation_id: str) -> Answer:
    """Return the platform's ErrorBody."""
    body = {
        "message": error.message,
        "code": error.code,
        "status": error.status,
        "contextId": correlation_id,
        "details": error.details,
        "errors": [],
    }
    if error.limit:
        body["limit"] = error.limit
    return json_answer(error.status, body, error.headers)
