"""Access tokens: the client credentials grant, and what a token may do."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from genesys_cloud.simulator.exchange import Answer, ApiError, Call, json_answer
from genesys_cloud.simulator.options import SimulatorOptions


@dataclass(frozen=True, slots=True)
class Token:
    """An access token that was given out; expires_at is in epoch seconds."""

    value: str
    scopes: frozenset[str]
    expires_at: float


class TokenOffice:
    """Gives out access tokens and checks those that come back."""

    def __init__(
        self, options: SimulatorOptions, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._options = options
        self._platform = options.profiles == "agentless"
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def grant(self, call: Call) -> Answer:
        """Answer a token request as RFC 6749 and the platform do."""
        form = {key: values[-1] for key, values in parse_qs(call.body.decode("latin-1")).items()}
        client = _basic_credentials(call)
        if client is None and self._platform:
            return oauth_error(400, "invalid_request", "the client goes into a Basic header")
        client = client or (form.get("client_id", ""), form.get("client_secret", ""))
        if client[0] != self._options.client_id:
            return oauth_error(400, "invalid_client", "client not found")
        if client[1] != self._options.client_secret:
            return oauth_error(401, "invalid_client", "authentication failed")
        if form.get("grant_type") != "client_credentials":
            return oauth_error(400, "unsupported_grant_type", "grant type is not supported")
        if self._platform:
            return self._issue_as_the_platform()
        return self._issue(form.get("scope", self._options.scopes))

    def _issue(self, scope: str) -> Answer:
        scopes = frozenset(scope.split())
        if not scopes <= set(self._options.scopes.split()):
            return oauth_error(400, "invalid_scope", "the client may not have that scope")
        token = self._new(scopes, self._options.expires_in)
        body = {"access_token": token.value, "expires_in": self._options.expires_in}
        return json_answer(200, body | {"scope": scope, "token_type": "Bearer"})

    def _issue_as_the_platform(self) -> Answer:
        # Scopes are for users there: what a client may do, its roles say.
        lifetime = self._options.platform_expires_in
        token = self._new(frozenset(), lifetime)
        body = {"access_token": token.value, "token_type": "bearer", "expires_in": lifetime}
        return json_answer(200, body)

    def _new(self, scopes: frozenset[str], lifetime_s: int) -> Token:
        token = Token(secrets.token_urlsafe(48), scopes, self._clock() + lifetime_s)
        self._tokens[token.value] = token
        return token

    def check(self, call: Call) -> Token:
        """Return the request's token; raises ApiError 401."""
        kind, _, value = call.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or not value:
            raise ApiError(401, "authentication.required", "No authentication bearer token.")
        token = self._tokens.get(value)
        if token is None:
            raise ApiError(401, "bad.credentials", "Invalid login credentials.")
        if token.expires_at <= self._clock():
            raise ApiError(401, "credentials.expired", "The access token has expired.")
        return token

    def revoke(self, token: Token | None) -> None:
        """Forget one token, if there is one."""
        if token is not None:
            self._tokens.pop(token.value, None)

    def revoke_all(self) -> int:
        """Forget every token and return how many there were."""
        count = len(self._tokens)
        self._tokens.clear()
        return count


def require_scope(token: Token, scope: str) -> None:
    """Raise ApiError 403 unless the token has the scope."""
    if scope not in token.scopes:
        message = f"The token lacks the scope that this needs: {scope}."
        raise ApiError(403, "missing.permissions", message)


def _basic_credentials(call: Call) -> tuple[str, str] | None:
    kind, _, value = call.headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() != b"basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    # RFC 6749 has both parts form-encoded before they are joined.
    return unquote(name), unquote(secret)


def oauth_error(status: int, error: str, description: str) -> Answer:
    """Return an error as the token endpoint words it."""
    body = {"error": error, "description": description, "error_description": description}
    return json_answer(status, body)
