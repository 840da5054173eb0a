"""What went wrong, in sentences: cause and cure, and never a secret or a whole address."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from genesys_cloud.errors import (
    ApiError,
    EndpointMissingError,
    NotSentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RequestRejectedError,
    ServiceFailedError,
    ThrottledError,
    TokenRefusedError,
)
from genesys_cloud.outbound.messages import mask_numbers

if TYPE_CHECKING:
    from genesys_cloud.api.transport import Answer

LONGEST_QUOTE = 300
"""Characters of the server's own words that a message repeats."""

_CORRELATION_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as errors name it: `what` says what it was for, without an address.

    `permission` is what the OAuth client's role needs for it, '' where the contract has scopes.
    `connection` is the connection id; `place`, the region or the host, and `profile` are what it
    names. `hide` are texts of the request that no message may repeat, should the server do so.
    """

    method: str
    url: str
    what: str
    connection: str
    place: str
    profile: str = "auto"
    permission: str = ""
    hide: tuple[str, ...] = field(default=(), repr=False)

    @property
    def endpoint(self) -> str:
        """Method and URL, without the query."""
        return f"{self.method} {self.url.partition('?')[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The error that a body describes; texts are fit for a log."""

    code: str
    text: str
    context_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal that has a name of its own, and what to do about it."""

    code: str
    cure: str


def problem(body: object, hide: Iterable[str] = ()) -> Problem:
    """Read an ErrorBody of the platform, or an OAuth error (RFC 6749, 5.2), or neither."""
    fields = body if isinstance(body, dict) else {}
    code = _word(fields.get("code") or fields.get("error"))
    said = (
        fields.get("message") or fields.get("error_description") or fields.get("description") or ""
    )
    parts = [code, _word(said), *_details(fields.get("details"))]
    return Problem(
        code=quote(code, hide),
        text=quote("; ".join(filter(None, parts)), hide).rstrip(".") or "no reason given",
        context_id=_identifier(fields.get("contextId")),
    )


def quote(text: str, hide: Iterable[str] = ()) -> str:
    """Return a server's text as a log may show it: short, on one line, numbers masked."""
    for hidden in hide:
        # A hidden text of a letter or two is no secret, and would tear every word apart.
        for form in _forms(hidden) if len(hidden) > 3 else ():
            text = text.replace(form, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:5000]).split())
    masked = mask_numbers(line)
    return masked if len(masked) <= LONGEST_QUOTE else masked[: LONGEST_QUOTE - 1] + "…"


def _forms(hidden: str) -> tuple[str, ...]:
    """Return a text as it is and as JSON writes it, should a server repeat the raw request."""
    return hidden, json.dumps(hidden)[1:-1], json.dumps(hidden, ensure_ascii=False)[1:-1]


def correlation_id(answer: Answer) -> str | None:
    """Return the id that Genesys support asks for, from the header or the body."""
    header = _identifier(answer.headers.get("ININ-Correlation-Id"))
    return header or problem(answer.json()).context_id


def refusal(
    call: Call,
    answer: Answer,
    *,
    retry_after: float | None = None,
    known: Refusal | None = None,
) -> ApiError:
    """Return the error for an answer that is no success; `retry_after` is in seconds.

    `known` is what the answer means, where that has a name of its own: it refuses this request.
    """
    status, identity, found = answer.status, correlation_id(answer), _problem(call, answer)
    if status == 429:
        message = _throttled(call, found, retry_after)
        return ThrottledError(
            message, status=status, correlation_id=identity, retry_after=retry_after
        )
    kind, cause, cure = _reading(status, call)
    if known:
        kind, cause = RequestRejectedError, "Genesys Cloud refused"
    named = {name: getattr(call, name) for name in ("connection", "place", "profile", "permission")}
    cure = known.cure if known else cure.format(**named)
    message = f"{cause} {call.what} ({call.endpoint}): {found.text}. {cure}"
    if kind is RequestRejectedError:
        code = known.code if known else None
        return RequestRejectedError(message, status=status, correlation_id=identity, code=code)
    return kind(message, status=status, correlation_id=identity)


def not_sent(call: Call, reason: BaseException) -> NotSentError:
    """Return the error for a connection that failed before a byte of the request left."""
    return NotSentError(
        f"Can't reach {_host(call.url)} for {call.what}: {_connect_cause(reason)} Nothing was "
        f"sent, so trying again is safe. Connection {call.connection!r}, {call.place}."
    )


def no_answer(call: Call, error: BaseException) -> OutcomeUnknownError:
    """Return the error for a request that may have arrived and has no whole answer."""
    return OutcomeUnknownError(
        f"{_host(call.url)} gave no whole answer for {call.what} ({call.endpoint}): "
        f"{_kind(error)}. {_after_no_answer(call)} Connection {call.connection!r}."
    )


def _after_no_answer(call: Call) -> str:
    if call.method == "GET":
        return "A read changes nothing: trying again is safe."
    return "It may have been carried out: look it up before it is tried again."


def unclear(call: Call, answer: Answer, why: str) -> OutcomeUnknownError:
    """Return the error for an answer that doesn't say whether the message was accepted."""
    return OutcomeUnknownError(
        f"The answer for {call.what} ({call.endpoint}) doesn't say whether it was accepted: {why} "
        f"(HTTP {answer.status}, correlation id {correlation_id(answer) or 'not given'}). Look it "
        f"up before it is tried again. Connection {call.connection!r}."
    )


def _reading(status: int, call: Call) -> tuple[type[ApiError], str, str]:
    """Return what a status means: the error's kind, the cause, and the cure."""
    if status == 401:
        return TokenRefusedError, "Genesys Cloud refused the access token for", _CURE_401
    if status == 403:
        cure = _CURE_403_ROLE if call.permission else _CURE_403_SCOPE
        return PermissionDeniedError, "Genesys Cloud does not permit", cure
    if status in {404, 405} or status < 400:
        cure = _CURE_404 if call.profile == "auto" else _CURE_404_PINNED
        return EndpointMissingError, "The host does not serve", cure
    if status == 408 or status >= 500:
        return ServiceFailedError, "Genesys Cloud failed to answer", _CURE_5XX
    cure = _CURE_400_PLATFORM if call.permission else _CURE_400
    return RequestRejectedError, "Genesys Cloud refused", cure


_CURE_401 = (
    "The OAuth client id, the client secret or the region is wrong: check login, password and "
    "region of connection {connection!r} ({place}) against your Genesys Cloud instance."
)
_CURE_403_SCOPE = (
    "The OAuth client lacks a scope, or its role a permission: give it the scopes "
    "messaging:messages:write and messaging:messages:read (webhook:write for webhooks) and the "
    "role Messaging Administrator or Messaging Developer in the Admin Console. A new token is "
    "fetched at the next try. Connection {connection!r} ({place})."
)
_CURE_403_ROLE = (
    "No role of the OAuth client has the permission {permission}, or none in the division that "
    "this belongs to; scopes do not count here. In the Admin Console, give the OAuth client a "
    "role with that permission, in all divisions that it is to reach (Integrations > OAuth > the "
    "client > Roles). A new token is fetched at the next try. Connection {connection!r} ({place})."
)
_CURE_404 = (
    "The host, the region or the profile is wrong: check them in connection {connection!r} "
    "({place})."
)
_CURE_404_PINNED = (
    "The host or the region is wrong, or the host serves another contract than the profile "
    "{profile!r} that connection {connection!r} ({place}) names: set the profile to auto, and the "
    "host is asked."
)
_CURE_5XX = (
    "Try again later; if it lasts, give Genesys support the correlation id. Connection "
    "{connection!r} ({place})."
)
_CURE_400 = (
    "The same request will be refused again: check that the channel matches the prefix of the "
    "addresses, their format, the channel's character limit, and that consent is verified."
)
_CURE_400_PLATFORM = (
    "The same request will be refused again: check the sender (a provisioned number, or the id of "
    "an integration or a deployment), the recipient's format, the template and its values, and "
    "the channel's character limit."
)


def _problem(call: Call, answer: Answer) -> Problem:
    return problem(answer.json(), call.hide)


def _throttled(call: Call, found: Problem, retry_after: float | None) -> str:
    wait = "Wait" if retry_after is None else f"Wait {retry_after:g} s"
    return (
        f"Genesys Cloud's rate limit was exceeded at {call.what} ({call.endpoint}): {found.text}. "
        f"{wait}, then go on; if it recurs, lower requests_per_minute of connection "
        f"{call.connection!r}."
    )


def _connect_cause(reason: BaseException) -> str:
    causes = list(_chain(reason))
    for kind, sentence in _CONNECT_CAUSES:
        if any(isinstance(cause, kind) for cause in causes):
            return sentence
    return f"{_kind(causes[-1])}. Check network and proxy."


_CONNECT_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its name does not resolve. Check region or host, and DNS."),
    (ConnectionRefusedError, "it refused the connection. Check host and port."),
    (ssl.SSLError, "the TLS handshake failed. Check the certificates and any proxy on the way."),
    (TimeoutError, "it did not answer in time. Check host, network and proxy."),
)


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__
    return found


def _kind(error: BaseException) -> str:
    """Name the innermost error by its class and words, which hold no part of the request."""
    while error.args and isinstance(error.args[-1], Exception):
        error = error.args[-1]
    words = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return quote(f"{type(error).__name__} {words}".strip())


def _details(details: object) -> list[str]:
    rows = [row for row in details if isinstance(row, dict)] if isinstance(details, list) else []
    named = (
        ": ".join(filter(None, (_word(row.get("fieldName")), _word(row.get("errorCode")))))
        for row in rows[:10]
    )
    return [each for each in named if each]


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _identifier(value: object) -> str | None:
    return value if isinstance(value, str) and _CORRELATION_ID.fullmatch(value) else None


def _host(url: str) -> str:
    return urlsplit(url).netloc
